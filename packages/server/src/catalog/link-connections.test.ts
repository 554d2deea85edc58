import { describe, expect, test } from 'vitest';
import { buildDatasetGraph } from './dataset-graph.ts';
import { applyLinks, linkConnections } from './link-connections.ts';
import { parseDatasets } from './parse-datasets.ts';

interface FieldOf {
  readonly identity?: string;
  readonly to?: string;
  readonly direction?: 'from' | 'to';
}

/** A dataset with one collection, as a file says it; `to`: `dataset.collection.field`. */
function dataset(key: string, fields: Readonly<Record<string, FieldOf>>, habeas: object = {}) {
  const made = Object.entries(fields).map(([name, { identity, to, direction }]) => ({
    name,
    fides_meta: {
      ...(identity === undefined ? {} : { identity }),
      ...(to === undefined
        ? {}
        : {
            references: [
              {
                dataset: to.split('.')[0],
                field: to.split('.').slice(1).join('.'),
                ...(direction === undefined ? {} : { direction }),
              },
            ],
          }),
    },
  }));
  const file = { dataset: [{ fides_key: key, collections: [{ name: 'things', fields: made, habeas }] }] };
  return parseDatasets(JSON.stringify(file), `${key}.yml`);
}

function link(...all: readonly (readonly [string, ReturnType<typeof dataset>])[]) {
  const linked = linkConnections(new Map(all));
  const fieldsOf = (key: string) =>
    Object.fromEntries(
      (linked.get(key)?.datasets ?? []).flatMap(({ collections }) =>
        collections.flatMap(({ fields }) => fields.map(({ name, identity }) => [name, identity])),
      ),
    );
  const findings = (key: string) =>
    buildDatasetGraph(linked.get(key)?.datasets ?? []).findings.map(({ code }) => code);
  return { linked, fieldsOf, findings };
}

const SHOP = dataset('shop', { email: { identity: 'email' }, photo: {} });

describe('a reference to a dataset of another connection', () => {
  test('becomes an identity that the one tells and the other finds by', () => {
    const files = dataset('uploads', { file: { to: 'shop.things.photo', direction: 'from' } });
    const { linked, fieldsOf, findings } = link(['db', SHOP], ['tree', files]);
    expect(fieldsOf('db')).toMatchObject({
      photo: { type: 'shop.things.photo', match: 'exact', resolves: true },
    });
    expect(fieldsOf('tree')).toEqual({
      file: { type: 'shop.things.photo', match: 'exact', resolves: false },
    });
    expect([linked.get('tree')?.foundThrough, linked.get('db')?.foundThrough]).toEqual([
      new Set(['db']),
      new Set(),
    ]);
    expect(findings('tree')).toEqual([]);
  });

  test('may be said at the end that names the other', () => {
    const shop = dataset('shop', {
      email: { identity: 'email' },
      photo: { to: 'uploads.things.file', direction: 'to' },
    });
    const { linked, fieldsOf } = link(['db', shop], ['tree', dataset('uploads', { file: {} })]);
    expect(fieldsOf('db')).toMatchObject({ photo: { type: 'uploads.things.file', resolves: true } });
    expect(fieldsOf('tree')).toMatchObject({ file: { type: 'uploads.things.file', resolves: false } });
    expect(linked.get('tree')?.foundThrough).toEqual(new Set(['db']));
  });

  test('takes the identity that one of both has', () => {
    const shop = dataset('shop', { id: { identity: 'customer_id' }, email: { identity: 'email' } });
    const cache = dataset('cache', { user: { to: 'shop.things.id', direction: 'from' } });
    const { fieldsOf } = link(['db', shop], ['redis', cache]);
    expect(fieldsOf('redis')).toMatchObject({ user: { type: 'customer_id', resolves: false } });
    expect(fieldsOf('db')).toMatchObject({ id: { type: 'customer_id', resolves: true } });
  });

  test('goes on through several connections under one name', () => {
    const orders = dataset('orders', { customer: { to: 'shop.things.photo' } });
    const notes = dataset('notes', { customer: { to: 'orders.things.customer' } });
    const { fieldsOf } = link(['a', SHOP], ['b', orders], ['c', notes]);
    expect([fieldsOf('b').customer?.type, fieldsOf('c').customer?.type]).toEqual([
      'shop.things.photo',
      'shop.things.photo',
    ]);
  });

  test.each([
    ['whose field identifies by another type', { identity: 'session', to: 'shop.things.email' }],
    ['that leads to no field', { to: 'shop.things.missing' }],
    ['to a dataset that nobody has', { to: 'elsewhere.things.id' }],
  ])('%s stays as it is and is told', (_, field) => {
    const { linked, findings } = link(['db', SHOP], ['other', dataset('other', { field })]);
    expect(linked.get('other')?.links).toEqual([]);
    expect(findings('other')).toEqual(['reference-leaves-connection']);
  });

  test('to a dataset that two connections have is not guessed', () => {
    const files = dataset('uploads', { file: { to: 'shop.things.photo' } });
    const { findings } = link(['one', SHOP], ['two', SHOP], ['tree', files]);
    expect(findings('tree')).toEqual(['reference-leaves-connection']);
  });

  test('is the same when it was frozen and is read again', () => {
    const files = dataset('uploads', { file: { to: 'shop.things.photo', direction: 'from' } });
    const { linked } = link(['db', SHOP], ['tree', files]);
    for (const [key, own] of [
      ['db', SHOP],
      ['tree', files],
    ] as const) {
      const { datasets, links } = linked.get(key) ?? { datasets: [], links: [] };
      const again = applyLinks(own, JSON.parse(JSON.stringify(links)));
      expect(JSON.stringify(again)).toBe(JSON.stringify(datasets));
    }
  });
});

test('a collection is made from what `derived_from` names, by collection or as a whole dataset', () => {
  const index = dataset('index', { email: { identity: 'email' } }, { derived_from: ['shop.things'] });
  const copy = dataset('copy', { email: { identity: 'email' } }, { derived_from: 'index' });
  const { linked } = link(['db', SHOP], ['search', index], ['lake', copy]);
  expect([linked.get('search')?.madeFrom, linked.get('lake')?.madeFrom]).toEqual([
    new Set(['db']),
    new Set(['search']),
  ]);
});
