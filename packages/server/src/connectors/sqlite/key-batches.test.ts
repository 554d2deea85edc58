import { afterEach, describe, expect, test } from 'vitest';
import { erase, located, sum } from '../../../test/connector-contract.ts';
import { ANN, people } from '../../../test/small-shop-contract.ts';
import { createSqliteFile } from '../../../test/sqlite-file.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const DATASET = people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: orders
        habeas: { on_erase: delete }
        fields:
          - { name: shop, fides_meta: { primary_key: true } }
          - { name: number, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }
      - name: lines
        habeas:
          on_erase: delete
          references: [{ name: of_order, columns: [shop, number], target: orders, target_columns: [shop, number], direction: from, on_erase: delete }]
        fields:
          - { name: shop, fides_meta: { primary_key: true } }
          - { name: number, fides_meta: { primary_key: true } }
          - { name: line, fides_meta: { primary_key: true } }`);

const schemaOf = (type: string) => `
  create table people (id integer primary key, email text);
  insert into people values (1, 'ann@example.com'), (2, 'bob@example.com');
  create table orders (shop${type} not null, number${type} not null, person int, primary key (shop, number));
  create index orders_person on orders (person);
  create table lines (shop${type}, number${type}, line${type}, primary key (shop, number, line));`;

function openStore(rows: string, type = '') {
  const file = createSqliteFile();
  file.run([`${schemaOf(type)} ${rows}`]);
  const connector = createSqliteConnector({
    key: 'shop',
    url: file.file,
    folder: '/',
    options: {},
    datasets: parseDatasets(DATASET, 'shop.yaml'),
    keepRules: [],
    clock: fixedClock('2026-01-01T00:00:00Z'),
    connections: 1,
  });
  closing.push(async () => {
    await connector.close();
    file.remove();
  });
  return { connector, file };
}

/** Rows of a table made from the numbers 1 to `count`, as `n`. */
const fill = (table: string, count: number, values: string) =>
  `insert into ${table} with recursive c (n) as (select 1 union all select n + 1 from c where n < ${count}) select ${values} from c;`;

/** Every second order is Bob's. */
const PERSON = 'n % 2 + 1';

describe.each([
  ['without a type', ''],
  ['for whole numbers', ' int'],
])('in columns %s', (_, type) => {
  test.each([
    ['a range without a row behind the last edge', 4_000, 'n', 'n', 3],
    ['one row behind the last edge', 2_001, 'n', 'n', 3],
    ['fewer than a range', 20, 'n', 'n', 3],
    [
      'first parts of all kinds',
      5_003,
      `case n % 4 when 0 then n when 1 then n / 8.0 when 2 then 't' || n else cast('b' || n as blob) end`,
      'n',
      2,
    ],
    ['one first part that is no whole number', 2_500, `iif(n = 1778, 't', n)`, 'n', 2],
    ['one last part of bytes', 2_500, 'n', `iif(n = 1778, x'00ff', n)`, 2],
    ['one last part with a fraction', 2_500, 'n', `iif(n = 1778, 0.5, n)`, 2],
    ['one first part for all of them', 4_100, `'one'`, 'n', 2],
    ['very many rows in one range', 2_500, 'n / 3', 'n', 25],
    [
      'texts that are no Unicode',
      2_500,
      `cast(unhex(printf('61%02x', 128 + n % 128)) as text)`,
      `iif(n % 3, n, cast(unhex(printf('fe%02x%02x', n / 256, n % 256)) as text))`,
      2,
    ],
    ['texts that hold the word null', 2_500, `'null' || n`, 'n', 1],
  ])('keys are found once each, whatever their ranges: %s', async (_, count, shop, number, lines) => {
    const { connector, file } = openStore(
      fill('orders', count, `${shop}, ${number}, ${PERSON}`) +
        `insert into lines select shop, number, l.value from orders, (with recursive l (value) as (select 1 union all select value + 1 from l where value < ${lines}) select value from l) l;`,
      type,
    );
    const own = file.rows('select count(*) from orders where person = 1')[0]?.[0] as number;
    const scope = await located({ connector }, ANN);
    const counts = { people: 1, orders: own, lines: own * lines };
    const found: Record<string, number> = {};
    for await (const batch of scope.keys())
      found[batch.collection] = (found[batch.collection] ?? 0) + batch.count;
    expect(found).toEqual(counts);
    expect((await erase({ connector }, scope)).counts).toEqual(counts);
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    expect(file.rows('select (select count(*) from orders), (select count(*) from lines)')).toEqual([
      [count - own, (count - own) * lines],
    ]);
    expect(file.rows('select count(*) from orders where person = 1')).toEqual([[0]]);
  });
});

test.each(['', ' int'])(
  'a row whose key is incomplete stops the search, so that it is not passed over:%s',
  async (type) => {
    const { connector } = openStore(
      `insert into orders values (1, 1, 1); insert into lines values (1, 1, 1), (1, 1, null);`,
      type,
    );
    await expect(located({ connector }, ANN)).rejects.toMatchObject({ code: 'SYSTEM_FAILED' });
  },
);
