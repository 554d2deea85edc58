import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect, erase, located, sum } from '../../../test/connector-contract.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { people } from '../../../test/small-shop-contract.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { compareWithValues } from './compare-sql.ts';
import { insideJsonb } from './inside-jsonb.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const NOT_FURTHER = 'habeas: { resolves: false }';
const DATASET = (table: string, match: string) =>
  people(`
          - { name: row_id, fides_meta: { primary_key: true } }
          - { name: code, data_categories: [user.unique_id], fides_meta: { identity: code }, ${match} }`).replace(
    'name: people',
    `name: ${table}`,
  );

let database: TestDatabase;
let tables = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(`
    create extension if not exists citext schema public;
    create type public.colour as enum ('red', 'green');
    create domain public.price as numeric(10,2);
    create domain public.fair_price as public.price check (value > 0);
    create domain public.codes as text[]`);
});

afterAll(() => database[Symbol.asyncDispose]());

interface Store extends AsyncDisposable {
  readonly connector: Connector;
  /** The name of the table. */
  readonly table: string;
  /** The rows of the table as text, sorted. */
  rows(): Promise<readonly string[]>;
}

/** A table of its own whose column `code` has this type and these values. */
async function openPeople(type: string, values: string, match = ''): Promise<Store> {
  tables += 1;
  const table = `people_${tables}`;
  const rows = values.split('; ').map((one) => `(${one})`);
  await database.pool.query(`
    set search_path = public;
    create table ${table} (row_id int primary key generated always as identity, code ${type});
    insert into ${table} (code) values ${rows.join(', ')};
    set search_path = habeas`);
  const connector = createPostgresConnector({
    key: 'shop',
    url: database.url,
    datasets: parseDatasets(DATASET(table, match), 'shop.yaml'),
    clock: fixedClock('2026-01-01T00:00:00Z'),
  });
  return {
    connector,
    table,
    async rows() {
      const { rows: texts } = await database.pool.query(
        `select p::text as row from public.${table} p order by 1`,
      );
      return texts.map(({ row }) => row);
    },
    [Symbol.asyncDispose]: () => connector.close(),
  };
}

test.each([
  ['int', '7; 70; 77', '7', 1],
  ['int', '7', '07', 0],
  ['int', '7', '7.0', 0],
  ['int', '0; 1', '0', 1],
  ['smallint', '7', '99999', 0],
  ['bigint', '9223372036854775807; 1', '9223372036854775807', 1],
  ['bigint', '7', '99999999999999999999999999', 0],
  ['numeric(10,2)', '7.00; 7.50', '7', 1],
  ['numeric(10,2)', '7.00; 7.50', '7.5', 1],
  ['numeric(10,2)', '7.00; 7.50', '7.500', 1],
  ['numeric(10,2)', '7.00; 7.01', '7.004', 0],
  ['numeric(10,2)', '7.00', '07', 0],
  ['numeric', `7; 'NaN'`, 'NaN', 0],
  ['numeric', '7; 1e40', '1e40', 0],
  ['numeric', '7; 1e40', `1${'0'.repeat(40)}`, 1],
  ['numeric', '7', '1e999999999', 0],
  ['price', '7.00; 7.50', '7.5', 1],
  ['fair_price', '7.00; 7.50', '7.5', 1],
  ['double precision', '7; 7.5', '7.50', 1],
  ['double precision', '0.1; 0.2', '0.1', 1],
  ['double precision', '1e-300; 1', '1e-300', 1],
  ['double precision', `9007199254740992; 'NaN'; 'Infinity'`, '9007199254740993', 0],
  ['double precision', '0; 1', '1e-999', 0],
  ['double precision', '0; 1', '1e999', 0],
  ['real', '0.1; 0.2', '0.10', 1],
  ['real', '16777216; 1', '16777217', 0],
  ['real', '0; 1', '1e39', 0],
  ['boolean', 'true; false', 'true', 1],
  // A text is no number.
  ['varchar(40)', `'7'; '7up'; '07'`, '7', 1],
  ['varchar(40)', `'abc'; '0'; ''`, '0', 1],
  ['varchar(40)', `''; ' '; '0'`, '', 1],
  ['text', `'jose'; 'josé'; 'JOSE'; 'jose '`, 'jose', 1],
  ['text', `'ann'`, 'a\0nn', 0],
  ['char(5)', `'ab'; 'abc'`, 'ab', 1],
  ['citext', `'ann'; 'Ann'; 'anna'`, 'ANN', 2],
  ['colour', `'red'; 'green'`, 'green', 1],
  ['colour', `'red'; 'green'`, '2', 0],
  ['bytea', `'\\x3b241101e2bb42558caf4136c566a962'; '\\x00'`, '3B241101-E2BB-4255-8CAF-4136C566A962', 1],
  ['bytea', `'\\x00ff'; '\\x616e6e'`, '\\x00FF', 1],
  ['bytea', `'\\x00ff'; '\\x616e6e'`, 'ann', 1],
  ['bytea', `'\\x00ff'; '\\x616e6e'`, '\\x0', 0],
  ['uuid', `'3b241101-e2bb-4255-8caf-4136c566a962'`, '3B241101-E2BB-4255-8CAF-4136C566A962', 1],
  ['uuid', `'3b241101-e2bb-4255-8caf-4136c566a962'`, 'not-a-uuid', 0],
  ['date', `'2025-01-31'; '2025-02-28'`, '2025-01-31', 1],
  ['inet', `'192.0.2.1'; '192.0.2.10'; '192.0.2.0/24'`, '192.0.2.1', 1],
  ['inet', `'2001:db8::1'; '2001:db8::2'`, '2001:DB8:0:0::1', 1],
  ['inet', `'192.0.2.1'`, '192.0.2.1/33', 0],
  ['inet', `'fe80::1'`, 'fe80::1%eth0', 0],
  ['cidr', `'192.0.2.1'; '192.0.2.0/24'`, '192.0.2.1', 1],
  ['macaddr', `'08:00:2b:01:02:03'`, '08-00-2B-01-02-03', 1],
])(
  'an identity in a column of the type %s with %s: %j is found exactly',
  async (type, values, value, want) => {
    await using store = await openPeople(type, values);
    const { items } = await collect(store, [{ type: 'code', value }]);
    expect(items).toHaveLength(want);
  },
);

test('an enum is found without regard to case where the field says so', async () => {
  await using store = await openPeople('colour', `'red'; 'green'`, 'habeas: { match: case-insensitive }');
  expect((await collect(store, [{ type: 'code', value: 'RED' }])).items).toHaveLength(1);
});

test.each([
  [
    'text[]',
    `'{ann,bob}'; '{bob}'; '{}'; null; '{annie,"{ann}"}'; '{{ann,eve},{bob,eve}}'; '{null,x}'`,
    'ann',
    2,
  ],
  ['codes', `'{ann,bob}'; '{bob}'`, 'ann', 1],
  ['varchar(40)[]', `'{ann,bob}'; '{Ann}'`, 'ann', 1],
  ['citext[]', `'{Ann,bob}'; '{bob}'`, 'ann', 1],
  ['colour[]', `'{red}'; '{red,green}'`, 'green', 1],
  ['int[]', `'{7,70}'; '{70}'`, '7', 1],
  ['numeric(10,2)[]', `'{7.00}'; '{70}'`, '7', 1],
  ['fair_price[]', `'{7.00}'; '{70}'`, '7', 1],
  ['uuid[]', `'{3b241101-e2bb-4255-8caf-4136c566a962}'; '{}'`, '3B241101-E2BB-4255-8CAF-4136C566A962', 1],
])(
  'an identity among the elements of a column of the type %s is found and erased with its row',
  async (type, values, value, want) => {
    await using store = await openPeople(type, values, NOT_FURTHER);
    expect((await store.connector.check()).problems).toEqual([]);
    const person = [{ type: 'code', value }];
    const before = await store.rows();
    const { items } = await collect(store, person);
    expect(items).toHaveLength(want);
    expect(await store.connector.resolve?.(await located(store, person))).toEqual([]);
    const scope = await located(store, person);
    expect(sum((await store.connector.verify(scope)).remaining)).toBe(want);
    expect((await erase(store, scope)).counts).toEqual({ [store.table]: want });
    expect(sum((await store.connector.verify(scope)).remaining)).toBe(0);
    const after = await store.rows();
    expect(after).toHaveLength(before.length - want);
    expect(before).toEqual(expect.arrayContaining([...after]));
  },
);

test('elements of an array are known one by one to whoever compares names with rows', async () => {
  await using store = await openPeople('text[]', `'{ann,bob}'; '{bob,null}'; null; '{}'`, NOT_FURTHER);
  const values: string[] = [];
  const known = store.connector.known?.read(['code'], new AbortController().signal);
  for await (const one of known ?? []) values.push(...one.values);
  expect(values.sort()).toEqual(['ann', 'bob']);
});

test.each([
  ['text[]', `'{ann}'`, 'an array: people are found by each of its elements'],
  ['jsonb', `'["ann"]'`, 'of the type jsonb, in which nobody can be found by the identity "code" as a whole'],
  ['json', `'"ann"'`, 'of the type json, in which nobody can be found'],
])(
  'an identity in a column of the type %s is refused by name where it would be missed',
  async (type, values, why) => {
    await using store = await openPeople(type, values);
    const { ok, problems } = await store.connector.check();
    expect(ok).toBe(false);
    expect(problems).toEqual([expect.stringContaining(`"${store.table}.code" is ${why}`)]);
    await expect(collect(store, [{ type: 'code', value: 'ann' }])).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
  },
);

test('an identity inside json is found by a column that the store computes of it, as the check advises', async () => {
  await using store = await openPeople(
    `text generated always as (data ->> 'code') stored, data json`,
    'default',
  );
  await database.pool.query(`update public.${store.table} set data = '{"code": "ann"}'`);
  expect((await store.connector.check()).problems).toEqual([]);
  expect((await collect(store, [{ type: 'code', value: 'ann' }])).items).toHaveLength(1);
});

test('a number with more digits than any column has is nobody’s', async () => {
  await using store = await openPeople('numeric', '7');
  expect((await collect(store, [{ type: 'code', value: '9'.repeat(200_000) }])).items).toEqual([]);
});

test.each([
  ['numeric(10,2)', '7'],
  ['double precision', '7.0'],
  ['bytea', '\\x00FF'],
  ['inet', '192.0.2.1'],
])('an index on a column of the type %s is used', async (type, value) => {
  await using store = await openPeople(type, 'null');
  const baseType = type.replace(/\(.*/, '');
  const comparison = compareWithValues({
    column: { name: 'code', type, baseType, category: 'N', notNull: false, length: null, generated: 'no' },
    values: [value],
    match: 'exact',
  });
  await database.pool.query(`create index on public.${store.table} (code)`);
  const client = await database.pool.connect();
  try {
    await client.query('begin; set local enable_seqscan = off');
    const { rows } = await client.query(
      `explain (costs off) select 1 from public.${store.table} t where ${comparison?.sql('t.code')}`,
      [...(comparison?.values ?? [])],
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('Index Cond: (code = ANY');
  } finally {
    await client.query('rollback');
    client.release();
  }
});

test('an index on a column of jsonb is used for an identity inside it', async () => {
  await using store = await openPeople('jsonb', 'null');
  const jsonb = { name: 'code', type: 'jsonb', baseType: 'jsonb', category: 'U' } as const;
  const inside = insideJsonb({ ...jsonb, notNull: false, length: null, generated: 'no' }, [
    'contact',
    'email',
  ]);
  const usual = { sql: () => 'false', values: [] };
  const comparison = inside?.hasten?.({ values: ['ann@example.com', '7'], match: 'exact' }, usual);
  await database.pool.query(`create index on public.${store.table} using gin (code jsonb_path_ops)`);
  const client = await database.pool.connect();
  try {
    await client.query('begin; set local enable_seqscan = off');
    const { rows } = await client.query(
      `explain (costs off) select 1 from public.${store.table} t where ${comparison?.sql('t.code')}`,
      [...(comparison?.values ?? [])],
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('Index Cond: (code @? ');
  } finally {
    await client.query('rollback');
    client.release();
  }
});
