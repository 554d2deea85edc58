import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentOf, mapOf, randomMap } from '../../../test/random-map.ts';
import { EXPORT_FORMATS } from './formats.ts';
import { readMapDocument } from './map-document.ts';

const jsonOf = (document: ReturnType<typeof documentOf>) =>
  [
    ...(EXPORT_FORMATS.json.write({ document, record: undefined, form: 'controller' }) as Iterable<string>),
  ].join('');

describe('the JSON form', () => {
  it('gives back every part of any map', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const document = documentOf(map);
        expect(readMapDocument(jsonOf(document), 'map.json')).toEqual(document);
      }),
    );
  });

  it('says when, as of when, with which filter, how many, and by whom', () => {
    const { stamp } = documentOf(mapOf({ services: [{ name: 'orders' }], filter: { team: 'shop' } }));
    expect(stamp).toEqual({
      organization: 'acme',
      generated_at: '2026-03-01T13:00:00.000Z',
      as_of: '2026-03-01T12:00:00.000Z',
      filter: { team: 'shop' },
      counts: { services: 1, teams: 1, data_types: 1, stores: 0, flows: 0, gaps: 0 },
      product: 'habeas 0.0.0-test',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is refused when anything in it was changed', () => {
    const text = jsonOf(documentOf(mapOf({ services: [{ name: 'orders' }] })));
    for (const changed of [text.replace('"orders"', '"other"'), text.replace('acme', 'acne')])
      expect(() => readMapDocument(changed, 'map.json')).toThrow(
        'map.json was changed after it was exported',
      );
  });

  it('is refused when it is something else', () => {
    expect(() => readMapDocument('{', 'map.json')).toThrow('map.json is not JSON');
    expect(() => readMapDocument('{"kind":"habeas.map"}', 'map.json')).toThrow('is not a data map in JSON');
  });

  it('has a line for each entry, so that versions of it can be compared', () => {
    const text = jsonOf(documentOf(mapOf({ services: [{ name: 'a' }, { name: 'b' }] })));
    expect(text.split('\n').filter((line) => line.includes('"answered_by"'))).toHaveLength(2);
  });
});
