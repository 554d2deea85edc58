import { afterEach, describe, expect, test } from 'vitest';
import {
  arrayOf,
  collect,
  erase,
  located,
  scopeOf,
  sum,
  testConnectorContract,
} from '../../../../test/connector-contract.ts';
import { createTestDatabase } from '../../../../test/database.ts';
import { type RedshiftDouble, startRedshiftDouble } from '../../../../test/redshift/redshift-double.ts';
import {
  ANN,
  BOB,
  FALSY_SHOP,
  FALSY_SHOP_DATASET,
  FALSY_SHOP_TABLES,
  people,
  shopSubject,
} from '../../../../test/small-shop-contract.ts';
import { expectSpelledPeople, SPELLED_DATASET, SPELLED_PEOPLE } from '../../../../test/spelled-people.ts';
import { parseDatasets } from '../../../catalog/index.ts';
import { fixedClock } from '../../../foundation/index.ts';
import type { Connector } from '../../connector.ts';
import { OWN_COPIES } from '../../name-residuals.ts';
import { createPostgresConnector } from '../postgres-connector.ts';

/** Redshift's `text` is a `varchar(256)`. */
const SHOP = FALSY_SHOP.replaceAll(/\btext\b/g, 'varchar(256)');

const opened: { readonly connector: Connector; readonly double: RedshiftDouble }[] = [];

afterEach(async () => {
  for (const { connector, double } of opened.splice(0)) {
    await connector.close();
    await double.close();
    expect(double.refused).toEqual([]);
  }
});

async function openShop(
  schema = SHOP,
  options: { readonly dataset?: string; readonly purge?: string } = {},
): Promise<(typeof opened)[number] & { rows(): Promise<unknown> }> {
  const double = await startRedshiftDouble(schema);
  const connector = createPostgresConnector({
    key: 'warehouse',
    url: double.url,
    datasets: parseDatasets(options.dataset ?? FALSY_SHOP_DATASET, 'shop.yml'),
    clock: fixedClock('2026-01-01T00:00:00Z'),
    options: { dialect: 'redshift', ...(options.purge === undefined ? {} : { purge: options.purge }) },
  });
  opened.push({ connector, double });
  return {
    connector,
    double,
    rows: () =>
      Promise.all(
        FALSY_SHOP_TABLES.map((table) => double.query(`select t::text from public.${table} t order by 1`)),
      ),
  };
}

testConnectorContract('PostgreSQL that takes only what Redshift takes', async () => {
  const { connector, rows } = await openShop();
  return shopSubject(connector, rows);
});

test('a key that different rows have is refused before anybody is given another person’s row', async () => {
  const { connector, double, rows } = await openShop();
  const keys = await arrayOf((await located({ connector }, ANN)).keys());
  await double.query(`insert into public.customers values (1, 'eve@example.com', 'Eve', null, '1999-09-09')`);
  const before = await rows();
  const refused = { code: 'SCHEMA_MISMATCH', message: expect.stringContaining('"customers"') };
  await expect(collect({ connector }, ANN)).rejects.toMatchObject(refused);
  await expect(located({ connector }, ANN)).rejects.toMatchObject(refused);
  await expect(erase({ connector }, scopeOf(ANN, keys))).rejects.toMatchObject(refused);
  expect(await rows()).toEqual(before);
});

test('rows that came in twice are given and erased both', async () => {
  const { connector, double } = await openShop();
  await double.query('insert into public.orders select * from public.orders where id = 2');
  const { items } = await collect({ connector }, ANN);
  expect(items.filter(({ collection }) => collection === 'orders')).toHaveLength(3);
  const scope = await located({ connector }, ANN);
  const evidence = await erase({ connector }, scope);
  expect(evidence.counts).toMatchObject({ orders: 3, customers: 1 });
  expect(await double.query('select id::int from public.orders where customer_id = 1')).toEqual([]);
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
});

describe('what is masked and kept', () => {
  const NOTES = `
    create table people (id bigint primary key, email varchar(80), note varchar(40), nick varchar(40) not null, since timestamp,
      is_known boolean, wishes super);
    insert into people values (1, 'ann@example.com', 'back\\slash', 'annie', '2010-01-01', true, '{"a": [1, 2]}'),
      (2, 'bob@example.com', 'other', 'bobby', '2010-01-01', false, '{"a": 1}');
    create table mv_tbl__sums__0 (n bigint);
    create table bills (id bigint primary key, person bigint, text varchar(40), billed timestamp);
    insert into bills values (1, 1, 'old', '2010-01-01'), (2, 1, 'new', '2025-01-01'), (3, 2, 'other', '2010-01-01');`;
  const NOTES_DATASET = `
dataset:
  - fides_key: notes
    collections:
      - name: people
        habeas: { on_erase: anonymize }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: note, data_categories: [user.content.private], habeas: { mask: { strategy: fixed, value: 'gone \\ ''for'' good' } } }
          - { name: nick, data_categories: [user.name], habeas: { mask: { strategy: hash } } }
          - { name: is_known, data_categories: [user.behavior] }
          - { name: wishes, data_categories: [user.content.private] }
      - name: bills
        habeas: { on_erase: { keep: { reason: accounts, until: { column: billed, after: 7y } } } }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: notes, field: people.id, direction: from }] } }
          - { name: text, data_categories: [user.financial] }`;

  test('is masked in Redshift’s own words, and rows go when their time is over', async () => {
    const { connector, double } = await openShop(NOTES, { dataset: NOTES_DATASET });
    expect(await connector.check()).toMatchObject({ ok: true, problems: [] });
    const { items } = await collect({ connector }, ANN);
    expect(items.find(({ collection }) => collection === 'people')?.row).toMatchObject({
      note: 'back\\slash',
      is_known: 'true',
      wishes: '{"a": [1, 2]}',
    });
    const scope = await located({ connector }, ANN);
    const evidence = await erase({ connector }, scope);
    expect(evidence.retained).toEqual([
      { collection: 'bills', count: 1, reason: 'accounts', until: '2032-01-01T00:00:00Z' },
    ]);
    expect(evidence.residuals.map(({ copy }) => copy)).toEqual([
      'table-files',
      'snapshots',
      'materialized-views',
    ]);
    // By these names the configuration says when they end.
    expect(OWN_COPIES.postgres).toEqual(expect.arrayContaining(evidence.residuals.map(({ copy }) => copy)));
    const people = await double.query(
      'select id::int, email, note, nick, is_known, wishes::text from public.people order by id',
    );
    expect(people).toEqual([
      [1, null, `gone \\ 'for' good`, expect.stringMatching(/^erased-[0-9a-f]{20}$/), null, null],
      [2, 'bob@example.com', 'other', 'bobby', false, '{"a": 1}'],
    ]);
    expect(await double.query('select id::int from public.bills order by id')).toEqual([[2], [3]]);
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
  });
});

test('keys lie in batches that fit into a text of Redshift, and what a reference pointed at is kept apart from nothing', async () => {
  const { connector, double } = await openShop(
    `create table people (id varchar(200) primary key, email varchar(80));
     create table notes (id varchar(200) primary key, person varchar(200), body varchar(80));
     insert into people values ('="Änn''s\\key"', 'ann@example.com'), ('', 'bob@example.com');
     insert into notes select repeat('é"', 40) || i, case when i % 3 = 0 then '' else '="Änn''s\\key"' end, 'body ' || i
       from generate_series(1, 3600) i`,
    {
      dataset: `
dataset:
  - fides_key: notes
    collections:
      - name: people
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: notes
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - name: person
            fides_meta: { references: [{ dataset: notes, field: people.id, direction: from }] }
            habeas: { on_erase: detach }
          - { name: body, data_categories: [system.operations] }`,
    },
  );
  for (const [who, notes] of [
    [ANN, 2_400],
    [BOB, 1_200],
  ] as const) {
    const scope = await located({ connector }, who);
    const batches = await arrayOf(scope.keys());
    expect(
      Math.max(...batches.flatMap(({ keys }) => keys.map((text) => Buffer.byteLength(text)))),
    ).toBeLessThan(65_535);
    expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(notes + 1);
    expect((await erase({ connector }, scope)).counts).toEqual({ notes, people: 1 });
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
  }
  expect(await double.query('select count(*)::int, count(person)::int from public.notes')).toEqual([
    [3_600, 0],
  ]);
});

test('values are corrected where they fit, and refused where a cast would cut them off', async () => {
  const { connector, double } = await openShop();
  const change = async (field: string, to: string) => {
    const work = {
      kind: 'rectify',
      changes: [{ target: `warehouse.${field}`, from: undefined, to }],
    } as const;
    const keys = await arrayOf(connector.locate?.(scopeOf(ANN, []), work) ?? []);
    return await connector.change?.(scopeOf(ANN, keys), work, 'change');
  };
  expect(await change('customers.name', "Änn \\ O'Neil")).toMatchObject({
    state: 'done',
    evidence: { counts: { customers: 1 } },
  });
  expect(await double.query('select id::int, name from public.customers where id < 3 order by id')).toEqual([
    [0, 'Zero'],
    [1, "Änn \\ O'Neil"],
    [2, 'Bob'],
  ]);
  for (const [field, value] of [
    // 255 letters in 257 bytes.
    ['customers.name', `${'x'.repeat(253)}éé`],
    ['customers.birth_date', '2021-02-30'],
    ['orders.placed_at', 'tomorrow'],
  ] as const)
    await expect(change(field, value), field).rejects.toMatchObject({ code: 'VALUE_INVALID' });
});

test('tables are vacuumed after the erasure where the connection says so', async () => {
  const { connector, double } = await openShop(SHOP, { purge: 'vacuum' });
  const evidence = await erase({ connector }, await located({ connector }, ANN));
  expect(double.statements).toContain('vacuum delete only "public"."customers" to 100 percent');
  expect(evidence.notes.join()).toContain('VACUUM DELETE ONLY TO 100 PERCENT');
  expect(evidence.effects?.customers).toMatchObject({ erased: 1, level: 'logical' });
});

test('a text that an erasure was not meant for stays, to the byte', async () => {
  const { connector, rows, double } = await openShop();
  await erase({ connector }, await located({ connector }, BOB));
  const left = JSON.stringify(await rows());
  expect(left).not.toContain('bob@example.com');
  expect(left).toContain('Ann@Example.com');
  expect(double.statements.filter((text) => /\breturning\b|\bsavepoint\b/.test(text))).toEqual([]);
});

describe('the flag', () => {
  test('is missed by its name at check', async () => {
    const double = await startRedshiftDouble(SHOP);
    const connector = createPostgresConnector({
      key: 'warehouse',
      url: double.url,
      datasets: [],
      clock: fixedClock('2026-01-01T00:00:00Z'),
    });
    expect(await connector.check()).toMatchObject({
      ok: false,
      message: expect.stringContaining('options: { dialect: redshift }'),
    });
    expect(double.refused).not.toEqual([]);
    await connector.close();
    await double.close();
  });

  test('is refused for a server that is none, and for a dialect that nobody knows', async () => {
    await using database = await createTestDatabase();
    const settings = {
      key: 'shop',
      url: database.url,
      datasets: [],
      clock: fixedClock('2026-01-01T00:00:00Z'),
    };
    const connector = createPostgresConnector({ ...settings, options: { dialect: 'redshift' } });
    expect((await connector.check()).ok).toBe(false);
    await connector.close();
    expect(() => createPostgresConnector({ ...settings, options: { dialect: 'greenplum' } })).toThrow(
      '`dialect` that its kind does not know',
    );
  });
});

test('people are found however their telephone numbers and letters are written', async () => {
  const { connector, double } = await openShop(SPELLED_PEOPLE.replaceAll('TEXT', 'varchar(256)'), {
    dataset: SPELLED_DATASET,
  });
  await expectSpelledPeople(connector, async () =>
    (await double.query('select id::int from public.people order by id')).flat().map(Number),
  );
});

test.each([
  ['numeric(10,2)', '7.00; 7.50', '7', 1],
  ['numeric(10,2)', '7.00; 7.50', '7.500', 1],
  ['numeric(10,2)', '7.00; 7.01', '7.004', 0],
  ['numeric(10,2)', '7.00', '07', 0],
  ['numeric(10,2)', '7.00', '9'.repeat(20), 0],
  ['integer', '7', '7.0', 0],
  ['varchar(20)', `'7'; '7.00'`, '7', 1],
])(
  'an identity in a column of the type %s with %s: %j is found exactly',
  async (type, values, value, want) => {
    const rows = values.split('; ').map((one, index) => `(${index}, ${one})`);
    const { connector } = await openShop(
      `create table people (row_id bigint primary key, code ${type}); insert into people values ${rows.join(', ')}`,
      {
        dataset: people(`
          - { name: row_id, fides_meta: { primary_key: true } }
          - { name: code, data_categories: [user.unique_id], fides_meta: { identity: code } }`),
      },
    );
    const { items } = await collect({ connector }, [{ type: 'code', value }]);
    expect(items).toHaveLength(want);
  },
);
