import { renameSync, rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import {
  arrayOf,
  collect,
  erase,
  located,
  scopeOf,
  sum,
  testConnectorContract,
} from '../../../test/connector-contract.ts';
import { expectMaskedInside, INSIDE_DATASET, NO_JSON } from '../../../test/masked-inside.ts';
import { SMALL_SHOP, SMALL_SHOP_DATASET, SMALL_SHOP_TABLES } from '../../../test/small-shop.ts';
import {
  ANN,
  expectAbortedErasure,
  FALSY_SHOP,
  FALSY_SHOP_DATASET,
  FALSY_SHOP_TABLES,
  people,
  shopSubject,
} from '../../../test/small-shop-contract.ts';
import { expectSpelledPeople, SPELLED_DATASET, SPELLED_PEOPLE } from '../../../test/spelled-people.ts';
import { createSqliteFile, type SqliteFile } from '../../../test/sqlite-file.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector, LocatedScope } from '../connector.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

testConnectorContract('SQLite', async () => {
  const store = openStore(FALSY_SHOP, FALSY_SHOP_DATASET);
  return shopSubject(store.connector, async () => snapshot(store, FALSY_SHOP_TABLES));
});

interface Store {
  readonly connector: Connector;
  readonly file: SqliteFile;
}

const opened: Store[] = [];

afterEach(async () => {
  for (const { connector, file } of opened.splice(0)) {
    await connector.close();
    file.remove();
  }
});

function openStore(schema: string, dataset: string): Store {
  const file = createSqliteFile();
  file.run([schema]);
  const connector = createSqliteConnector({
    key: 'shop',
    url: file.file,
    folder: '/',
    options: {},
    datasets: parseDatasets(dataset, 'shop.yaml'),
    keepRules: [],
    clock: fixedClock('2026-01-01T00:00:00Z'),
    connections: 4,
  });
  opened.push({ connector, file });
  return { connector, file };
}

function snapshot({ file }: Store, tables: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(tables.map((name) => [name, file.rows(`select * from "${name}" order by 1, 2`)]));
}

const EMAIL = '{ name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }';

test.each([
  ['integer', `1, '1', 10, 'x1'`, '1', 1],
  ['integer', `1, 10`, '01', 0],
  ['integer', `1, 10`, '1.0', 0],
  ['text', `'1', '01', '10'`, '01', 1],
  ['text', `'Ann', 'ann', 'Anna'`, 'ann', 1],
  ['text collate nocase', `'Ann', 'ANN', 'Anna'`, 'ANN', 1],
  ['numeric', `1.5, 15, '1.50x'`, '1.5', 1],
  ['blob', `1, '1', x'31'`, '1', 2],
  ['blob', `x'3b241101e2bb42558caf4136c566a962', '3b241101'`, '3b241101-e2bb-4255-8caf-4136c566a962', 1],
  ['', `'7', 7, 77`, '7', 2],
  ['integer', `0, 1, null`, '0', 1],
  ['text', `'', ' ', null`, '', 1],
])('an identity in a column of the type %j with %s is found exactly', async (type, values, value, want) => {
  const rows = values.split(', ').map((one, index) => `(${index}, ${one})`);
  const { connector } = openStore(
    `create table people (row_id integer primary key, code ${type}); insert into people values ${rows.join(', ')}`,
    people(`
          - { name: row_id, fides_meta: { primary_key: true } }
          - { name: code, data_categories: [user.unique_id], fides_meta: { identity: code } }`),
  );
  const { items } = await collect({ connector }, [{ type: 'code', value }]);
  // A column of integers makes the text '1' the number 1 when it is written.
  expect(items.length).toBe(type === 'integer' && value === '1' ? 2 : want);
});

test.each([
  ['integer', ['9223372036854775807', '-9223372036854775808', '0']],
  ['text', [`''`, `' '`, `'{a,"b"}'`, `'NULL'`, `'it''s'`, `'back\\slash'`, `'Ünïcödé 🦊'`, `'7'`]],
  ['real', ['9e999', '-9e999', '0.1', '0.0', '1e-300', '3.141592653589793', '1e300']],
  ['blob', [`x'00ff5c27'`, `x''`, `'text'`, '5', '0.5']],
])('keys of the type %s are erased as they are', async (type, keys) => {
  const { connector, file } = openStore(
    `create table people (code ${type} primary key not null, email text);
     create table visits (id integer primary key, "from" ${type});
     ${keys.map((key, index) => `insert into people values (${key}, 'p${index}@example.com'); insert into visits ("from") values (${key})`).join(';')}`,
    people(`
          - { name: code, fides_meta: { primary_key: true } }
          - ${EMAIL}
      - name: visits
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: from, fides_meta: { references: [{ dataset: shop, field: people.code, direction: from }] } }`),
  );
  for (const index of keys.keys()) {
    const person = [{ type: 'email', value: `p${index}@example.com` }];
    const scope = await located({ connector }, person);
    expect((await erase({ connector }, scope)).counts).toEqual({ people: 1, visits: 1 });
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
  }
  expect(file.rows('select (select count(*) from people) + (select count(*) from visits)')).toEqual([[0]]);
});

test.each([
  ['UTF-8', 'of one part', ''],
  ['UTF-16le', 'of one part', ''],
  ['UTF-8', 'of two parts', ', line'],
  ['UTF-16le', 'of two parts', ', line'],
  ['UTF-8', 'that are the whole row', undefined],
])(
  'texts that are the same up to a character U+0000 are different, in %s and in keys %s',
  async (encoding, _, rest) => {
    const whole = `'ab' || char(0) || n`;
    const { connector, file } = openStore(
      `pragma encoding = '${encoding}';
       create table people (id text primary key not null, email text);
       create table lines (id text not null, line int, person text${rest === undefined ? '' : `, primary key (id${rest})`});
       insert into people values ('ann' || char(0) || '1', 'ann@example.com'), ('ann', 'bob@example.com'), ('ann' || char(0) || '2', 'bob@example.com' || char(0));
       insert into lines with recursive c (n) as (select 1 union all select n + 1 from c where n < 40) select ${whole}, 1, 'ann' || char(0) || (1 + n % 2) from c;
       insert into lines values ('ab', 1, 'ann');`,
      `${people(`
          - { name: id, fides_meta: { primary_key: true } }
          - ${EMAIL}`)}
      - name: lines
        habeas: { on_erase: delete }
        fields:
          - { name: id${rest === undefined ? '' : ', fides_meta: { primary_key: true }'} }
          - { name: line${rest === undefined || rest === '' ? '' : ', fides_meta: { primary_key: true }'} }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }`,
    );
    const others = `select hex(id), line, hex(person) from lines where person <> 'ann' || char(0) || '1' order by 1`;
    const before = file.rows(others);
    expect(before).toHaveLength(21);
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toEqual({ people: 1, lines: 20 });
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    expect(file.rows(others)).toEqual(before);
    expect(file.rows('select count(*) from people')).toEqual([[2]]);
    expect(file.rows('select count(*) from lines')).toEqual([[21]]);
    const bob = await located({ connector }, [{ type: 'email', value: 'bob@example.com' }]);
    expect((await erase({ connector }, bob)).counts).toEqual({ people: 1, lines: 1 });
  },
);

test('what lies between numbers that follow each other and was not located stays', async () => {
  const { connector, file } = openStore(
    `create table people (id integer primary key, email text);
     create table lines (person, line, primary key (person, line));
     insert into people values (1, 'ann@example.com'), (2, 'bob@example.com');
     insert into lines values (1, 1), (1, 2), (1, 3), (1, 5), (1, 9007199254740993), (1, 9007199254740994), (2, 1), (2, 2), (2, 4)`,
    `${people(`
          - { name: id, fides_meta: { primary_key: true } }
          - ${EMAIL}`)}
      - name: lines
        habeas: { on_erase: delete }
        fields:
          - { name: person, fides_meta: { primary_key: true, references: [{ dataset: shop, field: people.id, direction: from }] } }
          - { name: line, fides_meta: { primary_key: true } }`,
  );
  const scope = await located({ connector }, ANN);
  file.run([`insert into lines values (1, 2.5), (1, '2'), (1, 4), (1, x'02')`]);
  expect((await erase({ connector }, scope)).counts).toEqual({ people: 1, lines: 6 });
  expect(file.rows('select person, quote(line) from lines order by person, line')).toEqual([
    [1, '2.5'],
    [1, '4'],
    [1, `'2'`],
    [1, `X'02'`],
    [2, '1'],
    [2, '2'],
    [2, '4'],
  ]);
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
});

test.each([
  ['whole numbers', 'n', ''],
  ['whole numbers beyond 2^53', '9007199254740992 + n', ''],
  [
    'all kinds',
    `case n % 4 when 0 then n when 1 then n / 8.0 when 2 then 't' || n else cast('b' || n as blob) end`,
    '',
  ],
  ['texts in a column of texts', `n`, ' text'],
])('of many first parts with the same lines, what was not located stays: %s', async (_, order, type) => {
  const { connector, file } = openStore(
    `create table people (id integer primary key, email text);
     create table orders (id${type} primary key not null, person int);
     create table lines (of_order${type}, line, primary key (of_order, line));
     insert into people values (1, 'ann@example.com'), (2, 'bob@example.com');
     insert into orders with recursive c (n) as (select 1 union all select n + 1 from c where n < 200) select ${order}, n % 2 + 1 from c;
     insert into lines select id, line from orders, (select 1 as line union all select 2 union all select 3 union all select 8);
     insert into lines select id, 4 from orders where rowid % 3 = 0;
     insert into lines select id, 5 from orders where rowid % 50 = 0;`,
    `${people(`
          - { name: id, fides_meta: { primary_key: true } }
          - ${EMAIL}`)}
      - name: orders
        habeas: { on_erase: { keep: { reason: accounts } } }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }
      - name: lines
        habeas: { on_erase: delete }
        fields:
          - { name: of_order, fides_meta: { primary_key: true, references: [{ dataset: shop, field: orders.id, direction: from }] } }
          - { name: line, fides_meta: { primary_key: true } }`,
  );
  const theirs = 'exists (select 1 from orders where id is of_order and person = 1)';
  const [[lines] = []] = file.rows(`select count(*) from lines where ${theirs}`);
  const others = `select typeof(of_order), hex(of_order), quote(line) from lines where not ${theirs} order by 1, 2, 3`;
  const before = file.rows(others);
  const scope = await located({ connector }, ANN);
  file.run([
    `insert into lines select id, l.line from orders, (select 1.5 as line union all select '2' union all select 0 union all select 6 union all select x'03') l where person = 1`,
  ]);
  expect((await erase({ connector }, scope)).counts).toMatchObject({ lines });
  expect(file.rows(others)).toEqual(before);
  expect(
    file.rows(`select quote(line), count(*) from lines where ${theirs} group by line order by 1`),
  ).toEqual([
    [`'2'`, 100],
    ['0', 100],
    ['1.5', 100],
    ['6', 100],
    [`X'03'`, 100],
  ]);
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
});

test('keys of several parts are erased as they are, also whole numbers that only differ beyond 2^53', async () => {
  // The first two are one number to JavaScript.
  const keys = [
    `9007199254740993, 'a'`,
    `9007199254740992, 'a'`,
    `7, 'a,b"]'`,
    `'7', 'a,b"]'`,
    `0.1, x'00ff'`,
    `-9223372036854775808, ''`,
  ];
  const { connector, file } = openStore(
    `create table people (a not null, b not null, email text, primary key (a, b));
     ${keys.map((key, index) => `insert into people values (${key}, 'p${index}@example.com')`).join(';')}`,
    people(`
          - { name: a, fides_meta: { primary_key: true } }
          - { name: b, fides_meta: { primary_key: true } }
          - ${EMAIL}`),
  );
  for (const [index] of keys.entries()) {
    const scope = await located({ connector }, [{ type: 'email', value: `p${index}@example.com` }]);
    expect((await erase({ connector }, scope)).counts).toEqual({ people: 1 });
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    const left = keys.slice(index + 1).map((_, more) => [`p${index + 1 + more}@example.com`]);
    expect(file.rows('select email from people order by email')).toEqual(left);
  }
});

test('rows without a key are known by all their values, equal ones together', async () => {
  const { connector, file } = openStore(
    `create table people (email text, name text);
     insert into people values ('ann@example.com', 'Ann'), ('ann@example.com', 'Ann'), ('bob@example.com', 'Ann')`,
    people(`
          - ${EMAIL}
          - { name: name, data_categories: [user.name] }`),
  );
  const scope = await located({ connector }, ANN);
  const evidence = await erase({ connector }, scope);
  expect(evidence.counts).toEqual({ people: 2 });
  expect(evidence.notes.join()).toContain('has no key');
  expect(file.rows('select email from people')).toEqual([['bob@example.com']]);
});

test('rows of others that point at a row that has to go stop the erasure as a whole', async () => {
  const store = openStore(
    `${SMALL_SHOP}; create table audits (id int, customer_id int references customers); insert into audits values (1, 1)`,
    SMALL_SHOP_DATASET,
  );
  const before = snapshot(store, SMALL_SHOP_TABLES);
  const failed = erase(store, await located(store, ANN));
  await expect(failed).rejects.toMatchObject({ code: 'SYSTEM_FAILED', retryable: false });
  expect(snapshot(store, SMALL_SHOP_TABLES)).toEqual(before);
});

test('an abort in the middle of an erasure leaves everything as it was', async () => {
  const store = openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  await expectAbortedErasure(store.connector, async () => snapshot(store, SMALL_SHOP_TABLES));
});

test('another program that holds the file locked is waited for, and its change is seen', async () => {
  const store = openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  store.file.run(['pragma journal_mode = wal']);
  const scope = await located(store, ANN);
  store.file.run([`update customers set email = 'anna@example.com' where id = 1`]);
  expect((await erase(store, scope)).counts.customers).toBe(1);
});

test('a file that is not there is told, and none is made; one that is no database is told as well', async () => {
  const { connector, file } = openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  rmSync(file.file);
  expect(await connector.check()).toMatchObject({ ok: false, message: expect.stringContaining('no file') });
  await expect(located({ connector }, ANN)).rejects.toMatchObject({
    code: 'SYSTEM_UNREACHABLE',
    retryable: true,
  });
  const { writeFileSync, existsSync } = await import('node:fs');
  expect(existsSync(file.file)).toBe(false);
  writeFileSync(file.file, 'This is a letter, and no database at all. '.repeat(50));
  expect(await connector.check()).toMatchObject({
    ok: false,
    message: expect.stringContaining('no SQLite database'),
  });
});

test('a file that was put in the place of another one is the one that is worked on', async () => {
  const store = openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  // The restored file has Ann again, and the threads have the former one open.
  const restored = createSqliteFile();
  restored.run([SMALL_SHOP]);
  await erase(store, await located(store, ANN));
  renameSync(restored.file, store.file.file);
  restored.remove();
  const scope = await located(store, ANN);
  expect((await erase(store, scope)).counts.customers).toBe(1);
  expect(store.file.rows(`select * from customers where email = 'ann@example.com'`)).toEqual([]);
});

test('a file that is taken away in the middle of an erasure is told, and nobody is told that it was erased', async () => {
  const store = openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  const keys = await arrayOf((await located(store, ANN)).keys());
  const away = `${store.file.file}.away`;
  const scope: LocatedScope = {
    ...scopeOf(ANN, keys),
    async *keys() {
      renameSync(store.file.file, away);
      yield* keys;
    },
  };
  await expect(store.connector.erase(scope, 'erase')).rejects.toMatchObject({
    code: expect.stringMatching(/^SYSTEM_/),
  });
  renameSync(away, store.file.file);
  expect((await erase(store, scopeOf(ANN, keys))).counts.customers).toBe(1);
});

test('discovery tells tables with their keys and references, and no view or virtual table', async () => {
  const { connector } = openStore(
    `create table "Mixed Case" (id integer primary key, "select" text not null, self int references "Mixed Case");
     create table parts (a int, b text, c generated always as (a * 2) stored, primary key (a, b)) without rowid;
     create table notes (x int, y text, body varchar(40) unique, foreign key (x, y) references parts on delete cascade);
     create view seen as select * from notes;
     create virtual table found using fts5(body)`,
    SMALL_SHOP_DATASET,
  );
  const shapes = await arrayOf(connector.discover?.(new AbortController().signal) ?? []);
  expect(shapes).toMatchObject([
    {
      name: 'Mixed Case',
      primaryKey: ['id'],
      fields: [{ name: 'id', nullable: false }, { name: 'select', nullable: false }, { name: 'self' }],
      references: [{ columns: ['self'], target: 'Mixed Case', targetColumns: ['id'], onDelete: 'no action' }],
    },
    {
      name: 'notes',
      uniqueKeys: [['body']],
      references: [{ columns: ['x', 'y'], target: 'parts', targetColumns: ['a', 'b'], onDelete: 'cascade' }],
    },
    { name: 'parts', primaryKey: ['a', 'b'], fields: [{}, {}, { name: 'c', generated: true }] },
  ]);
});

test('people are found however their telephone numbers and letters are written', async () => {
  const { connector, file } = openStore(SPELLED_PEOPLE.replaceAll('TEXT', 'text'), SPELLED_DATASET);
  await expectSpelledPeople(connector, () =>
    file.rows('select id from people order by id').flat().map(Number),
  );
});

test('of JSON in a column only what is personal goes', async () => {
  const { connector, file } = openStore(
    'create table people (id int primary key, email text, profile json)',
    INSIDE_DATASET,
  );
  const quoted = (text: string | null) => (text === null ? 'null' : `'${text}'`);
  await expectMaskedInside(connector, {
    insert: (id, email, profile) =>
      file.run([`insert into people values (${id}, ${quoted(email)}, ${quoted(profile)})`]),
    profiles: () =>
      file.rows('select profile from people order by id').map((row) => Object.values(row as object)[0]),
    more: NO_JSON,
  });
});
