import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentOf, HOSTILE_NAMES, mapOf, randomMap } from '../../../test/random-map.ts';
import { CHANGE_KINDS, type ChangeKind, diffMaps, forbiddenChanges } from './diff-maps.ts';
import { diffMarkdown } from './diff-markdown.ts';

const ALL = Object.keys(CHANGE_KINDS) as ChangeKind[];
const page = readFileSync(new URL('../../../../../docs/map-exports.md', import.meta.url), 'utf8');
const diff = (before: Parameters<typeof mapOf>[0], after: Parameters<typeof mapOf>[0]) =>
  diffMaps(documentOf(mapOf(before)), documentOf(mapOf(after)));
const kindsOf = (before: Parameters<typeof mapOf>[0], after: Parameters<typeof mapOf>[0]) =>
  diff(before, after).changes.map(({ change, kinds }) => [change, ...kinds]);

const services = [{ name: 'orders' }, { name: 'vendor', team: null, external: true }];
const flow = {
  from: 'orders',
  to: 'vendor',
  data_type: 'email',
  category: 'user.contact.email',
  external: true,
};
const store = { service: 'orders', data_type: 'email', category: 'user.contact.email' };

describe('the kinds of change', () => {
  it('are those of docs/map-exports.md', () => {
    const rows = [...page.matchAll(/^\| `(new-\w+|removed)` \| (.+) \|$/gm)];
    expect(Object.fromEntries(rows.map(([, kind, meaning]) => [kind, meaning]))).toEqual(CHANGE_KINDS);
  });

  it.each<[string, Parameters<typeof mapOf>[0], Parameters<typeof mapOf>[0], readonly string[][]]>([
    ['a new store', { services }, { services, stores: [store] }, [['added']]],
    [
      'a new sensitive store',
      { services },
      { services, stores: [{ ...store, category: 'user.biometric.voice' }] },
      [['added', 'new-sensitive']],
    ],
    [
      'a new store without a category',
      { services },
      { services, stores: [{ ...store, category: null }] },
      [['added', 'new-unclassified']],
    ],
    [
      'a new flow to the outside',
      { services },
      { services, flows: [flow] },
      [['added', 'new-external', 'new-flow']],
    ],
    [
      'a new flow inside',
      { services: [] },
      { services: [], flows: [{ ...flow, external: false }] },
      [['added', 'new-flow']],
    ],
    ['a removed store', { services, stores: [store] }, { services }, [['removed', 'removed']]],
    [
      'a category that became sensitive',
      { stores: [store] },
      { stores: [{ ...store, category: 'user.criminal_history' }] },
      [['changed', 'new-sensitive']],
    ],
    [
      'a category that was given',
      { stores: [{ ...store, category: null }] },
      { stores: [store] },
      [['changed']],
    ],
    [
      'a receiver that turned out to be outside',
      { services: [{ name: 'vendor' }], flows: [flow] },
      { services, flows: [flow] },
      [['changed', 'new-external']],
    ],
    [
      'the same from another source',
      { stores: [store] },
      { stores: [{ ...store, source: 'other', team: 'other' }] },
      [],
    ],
  ])('of %s', (_, before, after, want) => {
    expect(kindsOf(before, after)).toEqual(want);
  });
});

describe('a comparison', () => {
  it('of a map with itself finds nothing, and turned around what was added is removed', () => {
    fc.assert(
      fc.property(randomMap, randomMap, (one, other) => {
        const [a, b] = [documentOf(one), documentOf(other)];
        expect(diffMaps(a, a)).toMatchObject({ changes: [], services: { added: [], removed: [] } });
        const keys = (found: ReturnType<typeof diffMaps>, change: string) =>
          new Set(
            found.changes.flatMap((entry) =>
              entry.change === change ? [JSON.stringify([entry.service, entry.to, entry.data_type])] : [],
            ),
          );
        expect(keys(diffMaps(a, b), 'added')).toEqual(keys(diffMaps(b, a), 'removed'));
      }),
    );
  });

  it('takes two moments of one part of the map, not two parts', () => {
    expect(diff({ filter: { as_of: '2026-01-01' } }, { filter: {} }).changes).toEqual([]);
    expect(() => diff({ filter: { team: 'shop' } }, {})).toThrow('different parts of the map');
  });

  it('tells sensitive changes first', () => {
    const found = diff(
      {},
      { stores: [store, { ...store, service: 'z', category: 'user.health_and_medical' }] },
    );
    expect(found.changes.map(({ service }) => service)).toEqual(['z', 'orders']);
  });
});

describe('as Markdown', () => {
  it('keeps a row of a table for each change, whatever the names are', () => {
    const found = diff({}, { stores: HOSTILE_NAMES.map((name) => ({ service: name, data_type: name })) });
    const lines = diffMarkdown(found, forbiddenChanges(found, ALL), ALL).split('\n');
    const rows = lines.filter((line) => line.startsWith('| ❌'));
    expect(rows).toHaveLength(HOSTILE_NAMES.length);
    for (const row of rows)
      expect(row).toMatch(/^\| ❌ \| new \| `[^`|]+` stores \| `[^`|]+` \| none \| {2}\|$/);
    expect(lines).toContain(
      `❌ **${HOSTILE_NAMES.length} of ${HOSTILE_NAMES.length} changes** are of ${ALL.map((kind) => `\`${kind}\``).join(', ')}.`,
    );
  });

  it('says that nothing changed, and of many how many there are', () => {
    expect(diffMarkdown(diff({}, {}), [], ['removed'])).toContain(
      'Nothing changed.\n\n✅ Nothing of `removed`.',
    );
    const many = Array.from({ length: 103 }, (_, index) => ({ service: `s${index}`, data_type: 'email' }));
    expect(diffMarkdown(diff({}, { stores: many }), [], [])).toContain('… and 3 more.');
  });
});
