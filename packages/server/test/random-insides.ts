import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { collect, erase, located, sum } from './connector-contract.ts';
import type { InsideStore, InsideStores } from './inside-stores.ts';

const RUNS = Number(process.env.HABEAS_TEST_RUNS ?? 15);

/** People by what they are written as; those of a line are one. */
const PEOPLE: readonly (readonly unknown[])[] = [
  ['ann@example.com', 'Ann@Example.com'],
  ['ann@example.co'],
  ['xann@example.com'],
  ['zoë'.normalize('NFC'), 'zoë'.normalize('NFD')],
  ['7', 7],
  ['0', 0],
  [''],
  ["o'neil\\%_"],
  ['true', true],
];

const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: profiles
        habeas: { on_erase: mask }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: doc.a.b, data_categories: [user.contact.email], fides_meta: { identity: handle }, habeas: { match: case-insensitive } }
          - { name: doc.c, data_categories: [user.name] }
          - { name: doc.d, data_categories: [system.operations] }
      - name: events
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: doc.a.b, data_categories: [user.contact.email], fides_meta: { identity: handle }, habeas: { match: case-insensitive, resolves: false } }`;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const leaves = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...(PEOPLE.flat() as Json[])) },
  { weight: 1, arbitrary: fc.constantFrom<Json>(null, false, 1.5, -3, 'b', 'ann', {}, []) },
);

/** Anything, with names that are often those of the path, but never a list right in a list. */
const { any } = fc.letrec<{ any: Json; object: Json }>((tie) => ({
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'A', 'e f'), tie('any'), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  any: fc.oneof({ maxDepth: 3 }, leaves, tie('object'), fc.array(tie('object'), { maxLength: 3 })),
}));

/** What leads to people, through lists or not, beside anything else. */
const listed = (one: fc.Arbitrary<Json>) =>
  fc.oneof({ weight: 3, arbitrary: one }, { weight: 1, arbitrary: fc.array(one, { maxLength: 3 }) });
const inner = fc.record({ b: listed(leaves), c: any, 'e f': any }, { requiredKeys: ['b'] });
const outer = fc.record({ a: listed(inner), c: any, d: any, A: any }, { requiredKeys: ['a'] });
const documents = fc.oneof(
  { weight: 3, arbitrary: outer },
  { weight: 1, arbitrary: fc.array(outer, { maxLength: 2 }) },
  { weight: 1, arbitrary: any },
);

/** The single values that a path leads to, through lists. */
function valuesAt(json: Json, [name, ...rest]: readonly string[]): readonly Json[] {
  if (Array.isArray(json))
    return json.flatMap((one) => valuesAt(one, name === undefined ? [] : [name, ...rest]));
  if (name === undefined) return json === null || typeof json === 'object' ? [] : [json];
  if (json === null || typeof json !== 'object' || !Object.hasOwn(json, name)) return [];
  return valuesAt((json as { readonly [name: string]: Json })[name] as Json, rest);
}

const isAbout = (text: string, person: readonly unknown[]) =>
  valuesAt(JSON.parse(text), ['a', 'b']).some((value) => person.includes(value));

/** Expects the erasure of one of many people in random documents to take all of this person, and nothing else. */
export function testRandomInsides(name: string, stores: InsideStores): void {
  test(
    `${name}: of random documents in a column one person goes, and the rest stays byte for byte`,
    async () => {
      const type = stores.types.at(-1) ?? '';
      const store = await stores.open(DATASET, [
        `create table profiles (id int primary key, doc ${type})`,
        `create table events (id int primary key, doc ${type})`,
      ]);
      let erased = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(documents, { minLength: 12, maxLength: 30, size: 'max' }),
          fc.constantFrom(...PEOPLE),
          fc.constantFrom('', ' ', '\t'),
          async (docs, person, space) => {
            const texts = docs.map((doc) => JSON.stringify(doc, null, space));
            erased += await eraseIn(store, texts, person);
          },
        ),
        { numRuns: RUNS },
      );
      // Whoever finds nobody would be right about all others.
      expect(erased).toBeGreaterThan(RUNS);
    },
    5 * 60_000,
  );
}

async function eraseIn(
  store: InsideStore,
  texts: readonly string[],
  person: readonly unknown[],
): Promise<number> {
  const rows = texts.map((text, id) => `(${id}, '${text.replaceAll("'", "''")}')`).join(', ');
  await store.run(
    ['profiles', 'events'].flatMap((table) => [
      `delete from ${table}`,
      `insert into ${table} values ${rows}`,
    ]),
  );
  const docs = (table: string) => store.texts(`select doc from ${table} order by id`);
  const before = await docs('profiles');
  const theirs = texts.map((text) => isAbout(text, person));
  const identity = { type: 'handle', value: `${person[0]}` };
  const { items } = await collect(store, [identity]);
  const count = theirs.filter((own) => own).length;
  const ids = theirs.flatMap((own, id) => (own ? [id] : []));
  for (const table of ['profiles', 'events'])
    expect(
      items
        .filter(({ collection }) => collection === table)
        .map(({ row }) => Number(row.id))
        .sort((a, b) => a - b),
    ).toEqual(ids);
  const scope = await located(store, [identity]);
  await erase(store, scope);
  const profiles = await docs('profiles');
  expect(profiles.filter((_, id) => theirs[id] === false)).toEqual(
    before.filter((_, id) => theirs[id] === false),
  );
  expect(profiles.filter((text) => isAbout(text ?? 'null', person))).toEqual([]);
  expect(await docs('events')).toEqual(before.filter((_, id) => theirs[id] === false));
  expect(sum((await store.connector.verify(scope)).remaining)).toBe(0);
  expect((await collect(store, [identity])).items).toEqual([]);
  return count;
}
