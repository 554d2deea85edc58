import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  arrayOf,
  collect,
  erase,
  located,
  scopeOf,
  sum,
  testConnectorContract,
} from '../../../test/connector-contract.ts';
import { createMariadbDatabase, type MariadbDatabase } from '../../../test/mariadb-database.ts';
import { expectMaskedInside, INSIDE_DATASET, NO_JSON } from '../../../test/masked-inside.ts';
import { requireServer } from '../../../test/requirements.ts';
import { SMALL_SHOP_DATASET, SMALL_SHOP_TABLES } from '../../../test/small-shop.ts';
import {
  ANN,
  BOB,
  expectAbortedErasure,
  FALSY_SHOP,
  FALSY_SHOP_DATASET,
  FALSY_SHOP_TABLES,
  people,
  shopSubject,
} from '../../../test/small-shop-contract.ts';
import { expectSpelledPeople, SPELLED_DATASET, SPELLED_PEOPLE } from '../../../test/spelled-people.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock, HabeasError } from '../../foundation/index.ts';
import type { Connector, LocatedScope } from '../connector.ts';
import { createMysqlConnector } from './mysql-connector.ts';

const SERVERS = [
  ['MariaDB', await requireServer('mariadb')],
  ['MySQL', await requireServer('mysql')],
] as const;
/** The one that is tested now. */
let server: string | undefined;

/** The shop in MariaDB's types. */
const SHOP = FALSY_SHOP.replaceAll(' timestamptz', ' datetime')
  .replaceAll(/\btext\b/g, 'varchar(100)')
  .replaceAll(/references (customers|addresses|messages)\b/g, 'references $1 (id)')
  .replace('order_id int references orders', 'order_id int references orders (id)');

interface Store {
  readonly connector: Connector;
  readonly database: MariadbDatabase;
}

const opened: Store[] = [];

afterEach(async () => {
  for (const { connector, database } of opened.splice(0)) {
    await connector.close();
    await database.drop();
  }
});

async function openStore(schema: string, dataset: string, grants?: readonly string[]): Promise<Store> {
  const database = await createMariadbDatabase(server ?? '');
  await database.run(schema.split(';').filter((statement) => statement.trim() !== ''));
  const connector = createMysqlConnector({
    key: 'shop',
    url: grants === undefined ? database.url : await database.user(grants),
    datasets: parseDatasets(dataset, 'shop.yaml'),
    clock: fixedClock('2026-01-01T00:00:00Z'),
  });
  opened.push({ connector, database });
  return { connector, database };
}

async function snapshot(
  { database }: Store,
  tables: readonly string[] = SMALL_SHOP_TABLES,
): Promise<Readonly<Record<string, unknown>>> {
  const rows: Record<string, unknown> = {};
  for (const name of tables) rows[name] = await database.rows(`select * from "${name}" order by 1, 2`);
  return rows;
}

/** A column's type, what lies in it, an identity, and how many it finds. */
const IDENTITIES: readonly (readonly [type: string, values: string, value: string, want: number])[] = [
  ['int', '7, 70, 77', '7', 1],
  ['int', '7', '07', 0],
  ['int', '7', '7.0', 0],
  ['int', '0, 1', '0', 1],
  ['bigint unsigned', '18446744073709551615, 9223372036854775807', '18446744073709551615', 1],
  ['int', '7', '99999999999999999999999999', 0],
  ['decimal(10,2)', '7.00, 7.50', '7', 1],
  ['decimal(10,2)', '7.00, 7.50', '7.5', 1],
  // A text is no number, whatever MariaDB makes of it.
  ['varchar(40)', `'7', '7up', '07'`, '7', 1],
  ['varchar(40)', `'abc', '0', ''`, '0', 1],
  ['varchar(40)', `'', ' ', '0'`, '', 1],
  // Not by collation: neither letters, nor accents, nor spaces at the end.
  ['varchar(40) collate utf8mb4_general_ci', `'jose', 'josé', 'JOSE', 'jose '`, 'jose', 1],
  ['varchar(40) character set latin1', `'josé', 'jose'`, 'josé', 1],
  ['varchar(40) character set latin1', `'jos?', 'jose'`, 'josę', 0],
  ['char(5)', `'ab', 'abc'`, 'ab', 1],
  [`enum('red', 'green')`, `'red', 'green'`, 'green', 1],
  [`enum('red', 'green')`, `'red', 'green'`, '2', 0],
  ['text', `'ann', 'Ann'`, 'ann', 1],
  [
    'binary(16)',
    `x'3b241101e2bb42558caf4136c566a962', x'00000000000000000000000000000000'`,
    '3B241101-E2BB-4255-8CAF-4136C566A962',
    1,
  ],
  ['varbinary(20)', `x'00ff', x'616e6e'`, '\\x00ff', 1],
  ['varbinary(20)', `x'00ff', x'616e6e'`, 'ann', 1],
  ['uuid', `'3b241101-e2bb-4255-8caf-4136c566a962'`, '3B241101-E2BB-4255-8CAF-4136C566A962', 1],
  ['uuid', `'3b241101-e2bb-4255-8caf-4136c566a962'`, 'not-a-uuid', 0],
  ['date', `'2025-01-31', '2025-02-28'`, '2025-01-31', 1],
];

const KEYS: readonly (readonly [type: string, keys: readonly (string | number)[]])[] = [
  ['bigint', ['9223372036854775807', '-9223372036854775808', '0']],
  ['bigint unsigned', ['18446744073709551615', '0']],
  ['decimal(30,9)', ['0.1', '123456789012345678901.123456789']],
  ['double', ['0.1', '1e-300', '3.141592653589793']],
  ['float', ['0.1', '16777216']],
  ['varchar(40)', [`''`, `' x'`, `'{a,"b"}'`, `'NULL'`, `'it''s'`, `'back\\slash'`, `'Ünïcödé 🦊'`, `'$1?'`]],
  ['varchar(40) character set latin1', [`'é'`, `'f'`]],
  ['varbinary(20)', [`x'00ff5c27'`, `x''`]],
  ['binary(4)', [`x'00ff5c27'`]],
  ['datetime(6)', [`'2025-03-30 01:59:59.999999'`, `'1000-01-01 00:00:00'`]],
  ['timestamp(3)', [`'2025-10-26 02:30:00.123'`]],
  ['date', [`'9999-12-31'`]],
  ['time', [`'-838:59:59'`]],
  ['year', [`2025`]],
  ['uuid', [`'3b241101-e2bb-4255-8caf-4136c566a962'`]],
  ['inet6', [`'2001:db8::1'`]],
  ['bit(8)', [`b'101'`, `b'0'`]],
  [`enum('sad day','glad')`, [`'sad day'`]],
];

for (const [product, url] of SERVERS)
  describe.skipIf(url === undefined)(product, () => {
    beforeAll(() => {
      server = url;
    });

    /** MySQL has no type of its own for these. */
    const hasType = (type: string) => product === 'MariaDB' || !['uuid', 'inet6'].includes(type);

    testConnectorContract(product, async () => {
      const store = await openStore(SHOP, FALSY_SHOP_DATASET);
      return shopSubject(store.connector, () => snapshot(store, FALSY_SHOP_TABLES));
    });

    test.each(['json', 'text'])('of JSON in a column of %s only what is personal goes', async (type) => {
      const { connector, database } = await openStore(
        `create table people (id int primary key, email text, profile ${type})`,
        INSIDE_DATASET,
      );
      const native = async (json: string) =>
        `${(await database.rows(`select cast(cast('${json}' as json) as char)`)).flat()[0]}`;
      const quoted = (text: string | null) => (text === null ? 'null' : `'${text}'`);
      await expectMaskedInside(connector, {
        insert: (id, email, profile) =>
          database.run([`insert into people values (${id}, ${quoted(email)}, ${quoted(profile)})`]),
        profiles: async () =>
          (await database.rows('select cast(profile as char) from people order by id')).map(
            ([one]) => one as string | null,
          ),
        more: type === 'text' ? NO_JSON : [],
        ...(product === 'MySQL' ? { native } : {}),
      });
    });

    test.each(IDENTITIES.filter(([type]) => hasType(type)))(
      'an identity in a column of the type %s with %s: %j is found exactly',
      async (type, values, value, want) => {
        const rows = values.split(', ').map((one, index) => `(${index}, ${one})`);
        const { connector } = await openStore(
          `create table people (row_id int primary key, code ${type}, key (code${type === 'text' ? '(20)' : ''})); insert into people values ${rows.join(', ')}`,
          people(`
          - { name: row_id, fides_meta: { primary_key: true } }
          - { name: code, data_categories: [user.unique_id], fides_meta: { identity: code } }`),
        );
        const { items } = await collect({ connector }, [{ type: 'code', value }]);
        expect(items).toHaveLength(want);
      },
    );

    test.each(KEYS.filter(([type]) => hasType(type)))(
      'keys of the type %s are erased as they are',
      async (type, keys) => {
        const database = await createMariadbDatabase(server ?? '');
        const email =
          '{ name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }';
        await database.run([
          `create table people (code ${type} primary key, email varchar(80))`,
          `create table visits (id int auto_increment primary key, "from" ${type} null)`,
        ]);
        for (const [index, key] of keys.entries())
          await database.run([
            `insert into people values (${key}, 'p${index}@example.com')`,
            `insert into visits ("from") values (${key}), (${key})`,
          ]);
        const own = createMysqlConnector({
          key: 'shop',
          url: database.url,
          datasets: parseDatasets(
            people(`
          - { name: code, fides_meta: { primary_key: true } }
          - ${email}
      - name: visits
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: from, fides_meta: { references: [{ dataset: shop, field: people.code, direction: from }] } }`),
            'own.yaml',
          ),
          clock: fixedClock('2026-01-01T00:00:00Z'),
        });
        opened.push({ connector: own, database });
        for (const index of keys.keys()) {
          const person = [{ type: 'email', value: `p${index}@example.com` }];
          const scope = await located({ connector: own }, person);
          expect((await erase({ connector: own }, scope)).counts).toEqual({ people: 1, visits: 2 });
          expect(sum((await own.verify(scope)).remaining)).toBe(0);
        }
        expect(
          await database.rows('select (select count(*) from people) + (select count(*) from visits)'),
        ).toEqual([[0]]);
      },
    );

    test('people are found however their telephone numbers and letters are written', async () => {
      const { connector, database } = await openStore(
        SPELLED_PEOPLE.replaceAll('TEXT', 'varchar(100)'),
        SPELLED_DATASET,
      );
      await expectSpelledPeople(connector, async () =>
        (await database.rows('select id from people order by id')).flat().map(Number),
      );
    });

    test('rows without a key are known by all their values, equal ones together', async () => {
      const { connector, database } = await openStore(
        `create table people (email varchar(80), name varchar(80));
       insert into people values ('ann@example.com', 'Ann'), ('ann@example.com', 'Ann'), ('ann@example.com', null), ('bob@example.com', 'Ann')`,
        people(`
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: name, data_categories: [user.name] }`),
      );
      const evidence = await erase({ connector }, await located({ connector }, ANN));
      expect(evidence.counts).toEqual({ people: 3 });
      expect(evidence.notes.join()).toContain('has no key');
      expect(await database.rows('select email from people')).toEqual([['bob@example.com']]);
    });

    test('masks, dates of duties and soft deletions are written as the columns want them', async () => {
      const { connector, database } = await openStore(
        `create table people (id int primary key, email varchar(80) not null, size decimal(6,2) not null, mood enum('glad','sad') not null, left_at datetime null, gone tinyint(1) not null default 0);
       insert into people values (1, 'ann@example.com', 1.5, 'sad', '2020-01-31', 0), (2, 'bob@example.com', 2, 'sad', null, 0)`,
        people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: size, data_categories: [user.physical_characteristic], habeas: { mask: { strategy: fixed, value: 9 } } }
          - { name: mood, data_categories: [user.demographic], habeas: { mask: { strategy: fixed, value: glad } } }
          - { name: left_at, data_categories: [system.operations] }
          - { name: gone, data_categories: [system.operations] }`).replace(
          'on_erase: delete',
          'soft_delete: gone',
        ),
      );
      expect((await connector.check()).problems).toEqual([]);
      const scope = await located({ connector }, ANN);
      const dry = await erase({ connector }, scope, 'dry-run');
      const evidence = await erase({ connector }, scope);
      expect([dry.counts, evidence.counts]).toEqual([{ people: 1 }, { people: 1 }]);
      const rows = await database.rows('select * from people order by id');
      expect(rows).toEqual([
        [1, expect.stringMatching(/^erased-[0-9a-f]{20}$/), '9.00', 'glad', '2020-01-31 00:00:00', 0],
        [2, 'bob@example.com', '2.00', 'sad', null, 0],
      ]);
      expect(sum((await connector.verify(scope)).remaining)).toBe(0);
      expect(sum((await erase({ connector }, scope)).counts)).toBe(0);
    });

    test('a correction is tried by the database itself: what would be cut off, rounded or is no date is refused', async () => {
      const { connector, database } = await openStore(
        `create table people (id int primary key, email varchar(80), name varchar(5), size decimal(6,2), born date);
       insert into people values (1, 'ann@example.com', 'Anna', 1.5, '1980-01-01')`,
        people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: name, data_categories: [user.name] }
          - { name: size, data_categories: [user.physical_characteristic] }
          - { name: born, data_categories: [user.demographic.date_of_birth] }`),
      );
      const change = async (target: string, to: string | number) => {
        const work = {
          kind: 'rectify' as const,
          changes: [{ target: `shop.people.${target}`, from: undefined, to }],
        };
        const keys = await arrayOf(connector.locate?.(scopeOf(ANN, []), work) ?? []);
        return await connector.change?.(scopeOf(ANN, keys), work, 'change');
      };
      for (const [field, value] of [
        ['name', 'Annabel'],
        ['size', 1.234],
        ['size', 'tall'],
        ['born', '1980-02-31'],
      ] as const)
        await expect(change(field, value), field).rejects.toMatchObject({ code: 'VALUE_INVALID' });
      for (const [field, value] of [
        ['name', 'Ann'],
        ['size', 2],
        ['born', '1980-02-28'],
      ] as const) {
        expect(await change(field, value)).toMatchObject({ evidence: { counts: { people: 1 } } });
        expect(await change(field, value), 'again').toMatchObject({ evidence: { counts: { people: 0 } } });
      }
      expect(await database.rows('select name, size, born from people')).toEqual([
        ['Ann', '2.00', '1980-02-28'],
      ]);
    });

    test('rows of others that point at a row that has to go stop the erasure as a whole', async () => {
      const store = await openStore(
        `${SHOP}; create table audits (id int, customer_id int, constraint audited foreign key (customer_id) references customers (id)); insert into audits values (1, 1)`,
        SMALL_SHOP_DATASET,
      );
      const before = await snapshot(store);
      const failed = erase(store, await located(store, ANN));
      await expect(failed).rejects.toMatchObject({ code: 'SYSTEM_FAILED', retryable: false });
      await expect(failed).rejects.toThrow('audited');
      expect(await snapshot(store)).toEqual(before);
    });

    test('rows that point at each other and may not be empty go in the order that the store wants', async () => {
      const { connector, database } = await openStore(
        `create table people (id int primary key, email varchar(80), boss int not null, foreign key (boss) references people (id));
       insert into people values (1, 'bob@example.com', 1), (2, 'ann@example.com', 1), (3, 'ann@example.com', 2), (4, 'ann@example.com', 3)`,
        people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: boss, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }`),
      );
      expect((await erase({ connector }, await located({ connector }, ANN))).counts).toEqual({ people: 3 });
      expect(await database.rows('select id from people')).toEqual([[1]]);
    });

    test('an abort in the middle of an erasure leaves everything as it was', async () => {
      const store = await openStore(SHOP, SMALL_SHOP_DATASET);
      await expectAbortedErasure(store.connector, () => snapshot(store));
    });

    test('a server that ends the connection in the middle is told as unreachable, and a retry ends well', async () => {
      const store = await openStore(SHOP, SMALL_SHOP_DATASET);
      const before = await snapshot(store);
      const keys = await arrayOf((await located(store, ANN)).keys());
      const scope: LocatedScope = {
        ...scopeOf(ANN, keys),
        async *keys() {
          yield* keys;
          const [ids] = [
            await store.database.rows(
              `select id from information_schema.processlist where db = database() and id <> connection_id() and command <> 'Killed'`,
            ),
          ];
          await store.database.run(ids.map(([id]) => `kill ${id}`));
        },
      };
      await expect(store.connector.erase(scope, 'erase')).rejects.toMatchObject({
        code: 'SYSTEM_UNREACHABLE',
        retryable: true,
      });
      expect(await snapshot(store)).toEqual(before);
      const retry = scopeOf(ANN, keys);
      expect((await erase(store, retry)).counts.customers).toBe(1);
    });

    test('two people who are erased at the same time leave nothing of either', async () => {
      const store = await openStore(SHOP, SMALL_SHOP_DATASET);
      const scopes = [await located(store, ANN), await located(store, BOB)];
      const eraseAsWorkersDo = async (scope: LocatedScope): Promise<void> => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            await erase(store, scope);
            return;
          } catch (error) {
            if (attempt === 5 || !(error instanceof HabeasError && error.retryable)) throw error;
          }
        }
      };
      await Promise.all(scopes.map(eraseAsWorkersDo));
      expect(await store.database.rows('select id from customers order by id')).toEqual([[0], [3]]);
      expect(await store.database.rows('select id from addresses')).toEqual([]);
    });

    test.each([
      ['no rights', [], ['may not read the table "customers"']],
      ['reading alone', ['select on *.*'], ['may not delete from the table "customers"']],
      [
        'everything but temporary tables',
        ['select, update, delete on *.*'],
        ['may not create temporary tables'],
      ],
    ])('a user with %s is told so at the check', async (_, grants, wanted) => {
      const { connector, database } = await openStore(SHOP, SMALL_SHOP_DATASET, [
        // A database that nothing was granted on cannot even be entered.
        'create view on *.*',
        ...grants,
      ]);
      expect(await database.rows('select 1')).toEqual([[1]]);
      const { ok, problems } = await connector.check();
      expect(ok).toBe(false);
      for (const text of wanted) expect(problems.join('\n')).toContain(text);
    });

    test('a table of an engine without transactions is refused at the check', async () => {
      const { connector } = await openStore(
        'create table people (id int primary key, email varchar(80)) engine = MyISAM',
        people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }`),
      );
      expect((await connector.check()).problems).toEqual([expect.stringContaining('of the engine MyISAM')]);
      await expect(located({ connector }, ANN)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    });

    test('the evidence tells what became of each collection, and the binary log with its end', async () => {
      const store = await openStore(SHOP, SMALL_SHOP_DATASET);
      const { effects, residuals } = await erase(store, await located(store, ANN));
      expect(effects?.customers).toEqual({ found: 1, erased: 1, masked: 0, kept: 0, level: 'logical' });
      expect(effects?.orders).toEqual({ found: 2, erased: 2, masked: 0, kept: 0, level: 'logical' });
      const [[hasLog, seconds] = []] = await store.database.rows(
        'select @@log_bin, @@binlog_expire_logs_seconds',
      );
      const log = residuals.find(({ what }) => what.startsWith('The binary log'));
      const end = new Date(Date.parse('2026-01-01T00:00:00Z') + Number(seconds) * 1_000).toISOString();
      expect(log?.until).toBe(Number(hasLog) === 0 ? undefined : Number(seconds) === 0 ? null : end);
    });

    test('errors never quote a value', async () => {
      const { connector } = await openStore(
        `create table people (id int primary key, email varchar(80), constraint has_at check (email like '%@%')); insert into people values (1, 'secret@example.com')`,
        people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { mask: { strategy: hash } } }`).replace(
          'on_erase: delete',
          'on_erase: mask',
        ),
      );
      const person = [{ type: 'email', value: 'secret@example.com' }];
      const error = await erase({ connector }, await located({ connector }, person)).catch(
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: 'SYSTEM_FAILED', cause: { constraint: 'has_at' } });
      expect(
        JSON.stringify(error) + String(error) + JSON.stringify((error as HabeasError).cause),
      ).not.toContain('secret');
    });

    test('discovery tells tables with their keys, references and generated columns, and no view', async () => {
      const { connector } = await openStore(
        `create table "Mixed Case" (id bigint unsigned auto_increment primary key, "select" enum('a','b') not null, self bigint unsigned references "Mixed Case" (id));
       create table parts (a int, b varchar(10), c int generated always as (a * 2) stored, primary key (a, b), unique key short (b(3)));
       create table notes (x int, y varchar(10), body varchar(40) unique, foreign key (x, y) references parts (a, b) on delete cascade);
       create view seen as select * from notes`,
        SMALL_SHOP_DATASET,
      );
      const shapes = await arrayOf(connector.discover?.(new AbortController().signal) ?? []);
      expect(shapes.toSorted((one, other) => (one.name < other.name ? -1 : 1))).toMatchObject([
        {
          name: 'Mixed Case',
          primaryKey: ['id'],
          fields: [
            {
              name: 'id',
              type: expect.stringMatching(/^bigint(\(20\))? unsigned$/),
              nullable: false,
              generated: true,
            },
            { name: 'select', type: `enum('a','b')`, nullable: false },
            { name: 'self', nullable: true },
          ],
          references: [
            {
              columns: ['self'],
              target: 'Mixed Case',
              targetColumns: ['id'],
              onDelete: product === 'MySQL' ? 'no action' : 'restrict',
            },
          ],
        },
        {
          name: 'notes',
          uniqueKeys: [['body']],
          references: [
            { columns: ['x', 'y'], target: 'parts', targetColumns: ['a', 'b'], onDelete: 'cascade' },
          ],
        },
        {
          name: 'parts',
          primaryKey: ['a', 'b'],
          uniqueKeys: [],
          fields: [{}, {}, { name: 'c', generated: true }],
        },
      ]);
    });
  });
