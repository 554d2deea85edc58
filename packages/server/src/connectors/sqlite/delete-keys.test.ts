import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deleteEach, deletionsByLists } from './delete-keys.ts';
import { addFunctions } from './sqlite-functions.ts';
import { taggedKey } from './stored-keys.ts';

/** Literals of SQLite, of which many look like another one. */
const ODD = [
  '0',
  '1',
  '-1',
  '1.0',
  '0.5',
  '-0.0',
  '9e999',
  '-9e999',
  '9007199254740993',
  '9007199254740992',
  '9223372036854775807',
  '-9223372036854775808',
  "''",
  "'0'",
  "'1'",
  "'a'",
  "'A'",
  "'a' || char(0) || 'b'",
  "'a' || char(0)",
  "'a,\"b'",
  "'Inf'",
  "'t1'",
  "x'61'",
  "x''",
  "x'00ff'",
  "'a\uFFFD'",
  "cast(x'61ff' as text)",
  "cast(x'61fe' as text)",
  "cast(x'6100ff' as text)",
  "'ä'",
];
const MANY = Array.from({ length: 12 }, (_, n) => [`${n + 2}`, `'k${n}'`]).flat();
const LASTS = [
  ...['1', '2', '3', '4', '2.5', "'2'", "x'02'", '9007199254740993', '9007199254740994'],
  ...["'\uFFFD'", "cast(x'ff' as text)"],
];
const TYPES = ['', 'integer', 'text', 'text collate nocase', 'real', 'blob', 'numeric'];

/** Rows of a table, of which those with `true` are to be deleted. */
const table = fc.record({
  types: fc.tuple(fc.constantFrom(...TYPES), fc.constantFrom(...TYPES), fc.constantFrom(...TYPES)),
  encoding: fc.constantFrom('UTF-8', 'UTF-16le'),
  rowid: fc.constantFrom('', ' without rowid'),
  isOfThree: fc.boolean(),
  rows: fc.array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...ODD), fc.constantFrom(...MANY)),
      fc.constantFrom('1', "'1'", '0.5'),
      fc.oneof({ weight: 3, arbitrary: fc.constantFrom('1', '2') }, fc.constantFrom(...LASTS)),
      fc.boolean(),
    ),
    { minLength: 40, maxLength: 200, size: 'max' },
  ),
});

describe.each(['by lists', 'one after the other'])('keys of several parts, %s', (way) => {
  it('delete the rows that have them, of any type and in any column, and no other', () => {
    fc.assert(
      fc.property(table, ({ encoding, types, rowid, isOfThree, rows }) => {
        const key = isOfThree ? ['a', 'b', 'c'] : ['a', 'c'];
        using database = new DatabaseSync(':memory:');
        database.exec(`pragma encoding = '${encoding}'`);
        addFunctions(database, new Map());
        database.exec(
          `create table t (a ${types[0]} not null, b ${types[1]} not null, c ${types[2]} not null, doomed int, primary key (${key.join(', ')}))${rowid}`,
        );
        for (const [a, b, c, doomed] of rows)
          database.exec(`insert or ignore into t values (${a}, ${b}, ${c}, ${doomed})`);
        const keys = key.map((part) => stored(database, part));
        const from = { table: 't', key: key.map((part) => `t.${part}`) };
        const left = `select count(*) as n from t where not doomed`;
        const before = { left: database.prepare(left).get(), all: count(database) };
        const deleted =
          way === 'by lists'
            ? run(database, from, keys)
            : deleteEach((text) => database.prepare(text), from, keys);
        expect(database.prepare(left).get()).toEqual(before.left);
        expect(count(database)).toBe(before.all - deleted);
        expect(database.prepare('select count(*) as n from t where doomed').get()).toEqual({ n: 0 });
      }),
      { numRuns: 400 },
    );
  });
});

/** The texts of one part, as batches of keys have them. */
function stored(database: DatabaseSync, part: string): string {
  const { keys } = database
    .prepare(
      `select json_group_array(k) as keys from (select ${taggedKey(part)} as k from t where doomed order by a, b, c)`,
    )
    .get() as { readonly keys: string };
  return keys;
}

function run(
  database: DatabaseSync,
  from: { readonly table: string; readonly key: readonly string[] },
  keys: readonly string[],
): number {
  let deleted = 0;
  for (const { text, rows } of deletionsByLists(from, keys) ?? [])
    for (const row of rows) deleted += Number(database.prepare(text).run(...row).changes);
  return deleted;
}

function count(database: DatabaseSync): number {
  return Number(database.prepare('select count(*) as n from t').get()?.n);
}
