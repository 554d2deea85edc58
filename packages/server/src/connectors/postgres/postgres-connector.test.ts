import type pg from 'pg';
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
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { SMALL_SHOP, SMALL_SHOP_DATASET, SMALL_SHOP_TABLES } from '../../../test/small-shop.ts';
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
import { type KeepRule, parseDatasets } from '../../catalog/index.ts';
import { fixedClock, HabeasError } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

testConnectorContract('PostgreSQL', async () => {
  const { connector, rows } = await openStore(FALSY_SHOP, FALSY_SHOP_DATASET);
  return shopSubject(connector, () => rows(FALSY_SHOP_TABLES));
});

test('an abort in the middle of an erasure leaves everything as it was', async () => {
  const { connector, rows } = await openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  await expectAbortedErasure(connector, () => rows(SMALL_SHOP_TABLES));
});

interface Store {
  readonly connector: Connector;
  readonly pool: pg.Pool;
  /** The rows of these tables as text, sorted. */
  rows(tables: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>>;
  close(): Promise<void>;
}

const opened: Store[] = [];

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

async function openStore(
  schema: string,
  dataset: string,
  options: { readonly keepRules?: readonly KeepRule[]; readonly now?: string } = {},
): Promise<Store> {
  const database: TestDatabase = await createTestDatabase();
  await database.pool.query(`set search_path = public; ${schema}; set search_path = habeas`);
  const connector = createPostgresConnector({
    key: 'shop',
    url: database.url,
    datasets: parseDatasets(dataset, 'shop.yaml'),
    keepRules: options.keepRules ?? [],
    clock: fixedClock(options.now ?? '2026-01-01T00:00:00Z'),
  });
  const store: Store = {
    connector,
    pool: database.pool,
    async rows(tables) {
      const rows: Record<string, readonly string[]> = {};
      for (const table of tables) {
        const result = await database.pool.query(`select t::text as row from public."${table}" t order by 1`);
        rows[table] = result.rows.map(({ row }) => row);
      }
      return rows;
    },
    async close() {
      await connector.close();
      await database.close();
    },
  };
  opened.push(store);
  return store;
}

const fields = (list: string) => `
dataset:
  - fides_key: shop
    collections:${list}`;

test('a shared row stays while another person reaches it, and goes with the last of them', async () => {
  const { connector, rows } = await openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  await erase({ connector }, await located({ connector }, ANN));
  expect((await rows(['addresses'])).addresses).toEqual(['(1,"Shared Street 1")', '(3,"Bob Street 3")']);
  await erase({ connector }, await located({ connector }, BOB));
  expect((await rows(['addresses'])).addresses).toEqual([]);
});

test('an answer to the message of somebody who is erased stays, and no longer names what it answers', async () => {
  const { connector, rows } = await openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  const { items } = await collect({ connector }, ANN);
  expect(items.filter((item) => item.collection === 'messages').map((item) => item.row.body)).toEqual([
    'Hello, Ann here',
    'Bye',
  ]);
  const { counts } = await erase({ connector }, await located({ connector }, ANN));
  expect(counts.messages).toBe(3);
  expect((await rows(['messages'])).messages).toEqual(['(2,,2,"Hello Ann")', '(4,,3,Anyone?)']);
});

test('resolve tells the other identities of the person, and none that somebody else has as well', async () => {
  const schema = SMALL_SHOP.replaceAll("'+44 20 7946 0003'", "'+44 20 7946 0001'");
  const dataset = SMALL_SHOP_DATASET.replace(
    '{ name: phone, data_categories: [user.contact.phone_number] }',
    '{ name: phone, data_categories: [user.contact.phone_number], fides_meta: { identity: phone_number } }',
  );
  const shared = await openStore(schema, dataset);
  expect(await shared.connector.resolve?.(scopeOf(ANN, []))).toEqual([
    { type: 'email', value: 'Ann@Example.com' },
    { type: 'customer_id', value: '1' },
  ]);
  const alone = await openStore(SMALL_SHOP, dataset);
  expect(await alone.connector.resolve?.(scopeOf(ANN, []))).toContainEqual({
    type: 'phone_number',
    value: '+44 20 7946 0001',
  });
});

test('a number that is no number of the column finds nobody', async () => {
  const { connector } = await openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  for (const value of ['01', '1.0', '1 ', '9223372036854775808', '', 'one']) {
    expect((await collect({ connector }, [{ type: 'customer_id', value }])).items, value).toEqual([]);
  }
  expect((await collect({ connector }, [{ type: 'customer_id', value: '2' }])).items.length).toBeGreaterThan(
    0,
  );
});

test('what a row points at stays, emptied, while a duty keeps the row', async () => {
  const dataset = SMALL_SHOP_DATASET.replace(
    'birth_date, data_categories: [user.demographic.date_of_birth] }',
    'birth_date, data_categories: [user.demographic.date_of_birth], habeas: { mask: { strategy: fixed, value: 1900-01-01 } } }',
  ).replace(
    '{ name: customer_id, fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] } }',
    `{ name: customer_id, fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] },
              habeas: { on_erase: { keep: { reason: tax law, legal_basis: section 1, until: { column: placed_at, after: 7y } } } } }`,
  );
  const { connector, rows } = await openStore(SMALL_SHOP, dataset);
  const scope = await located({ connector }, ANN);
  const evidence = await erase({ connector }, scope);
  expect(evidence.retained).toEqual([
    { collection: 'orders', count: 2, reason: 'tax law (section 1)', until: '2032-02-01T00:00:00Z' },
  ]);
  const after = await rows(['customers', 'orders', 'order_lines']);
  expect(after.customers?.[0]).toMatch(/^\(1,erased-[0-9a-f]{20},erased-[0-9a-f]{20},,1900-01-01\)$/);
  expect(after.orders).toHaveLength(4);
  expect(after.order_lines).toEqual(['(3,1,a,"For Bob")']);
  const residue = await connector.verify(scope);
  expect(sum(residue.remaining)).toBe(0);
  expect(residue.retained).toEqual(evidence.retained);
});

test('a row whose duty to keep has ended is deleted', async () => {
  const dataset = SMALL_SHOP_DATASET.replace(
    '{ name: customer_id, fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] } }',
    `{ name: customer_id, fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] },
              habeas: { on_erase: { keep: { reason: tax law, until: { column: placed_at, after: 1mo } } } } }`,
  ).replace(
    'habeas: { on_erase: delete }',
    'habeas: { on_erase: { mask: { strategy: fixed, value: 2000-01-01 } } }',
  );
  const before = await openStore(
    SMALL_SHOP,
    dataset.replaceAll('birth_date, data_categories', 'birth_date, description'),
    { now: '2025-02-10T00:00:00Z' },
  );
  await erase(before, await located(before, ANN));
  expect((await before.rows(['orders'])).orders).toHaveLength(3);
});

test('a policy that keeps a category turns a deletion into a mask of everything else', async () => {
  const keepRules = [{ category: 'user.content', reason: 'a dispute', legalBasis: null, until: null }];
  const { connector, rows } = await openStore(
    SMALL_SHOP,
    SMALL_SHOP_DATASET.replace('birth_date, data_categories: [user.demographic.date_of_birth]', 'birth_date'),
    { keepRules },
  );
  const evidence = await erase({ connector }, await located({ connector }, ANN));
  expect(evidence.retained.map(({ collection, count }) => [collection, count]).sort()).toEqual([
    ['messages', 2],
    ['order_lines', 1],
    ['orders', 1],
    ['returns', 1],
  ]);
  expect((await rows(['messages', 'customers'])).customers?.[0]).toMatch(/^\(1,erased-/);
});

test('what the dataset names and the database lacks is told by name before anything runs, all of it', async () => {
  const dataset = SMALL_SHOP_DATASET.replace('name: addresses', 'name: adresses')
    .replace('field: addresses.id', 'field: adresses.id')
    .replace('name: engraving', 'name: engravings')
    .replace('name: phone', 'name: telephone');
  const { connector } = await openStore(SMALL_SHOP, dataset);
  const problems = [
    'The column "telephone" of the table "customers" does not exist.',
    'The table "adresses" does not exist, or is a view.',
    'The column "engravings" of the table "order_lines" does not exist.',
  ];
  expect((await connector.check()).problems).toEqual(problems);
  await expect(located({ connector }, ANN)).rejects.toMatchObject({
    code: 'SCHEMA_MISMATCH',
    details: problems,
  });
  await expect(collect({ connector }, ANN)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
});

test('a mask that cannot be is told before anything runs', async () => {
  const dataset = fields(`
      - name: people
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { primary_key: true, identity: email } }
          - { name: born, data_categories: [user.demographic.date_of_birth] }
          - { name: size, data_categories: [user], habeas: { mask: { strategy: fixed, value: tall } } }
          - { name: initials, data_categories: [user.name], habeas: { mask: { strategy: hash } } }`);
  const { connector } = await openStore(
    'create table people (email text primary key, born date not null, size int, initials varchar(3))',
    dataset,
  );
  expect((await connector.check()).problems).toEqual([
    '"people.email" cannot be masked, because it is part of a key or a reference: delete the row, keep the field with a reason, or correct its category.',
    '"people.born" has the type date and may not be empty: say what replaces it, with `mask: { strategy: fixed, value: … }`.',
    '"people.initials" has no room for the 27 letters of a hash: choose `null` or `fixed`.',
    'The fixed value that masks "people.size" is not of its type integer.',
  ]);
});

test('rows that the store itself would erase unseen are a problem', async () => {
  const { connector } = await openStore(
    `${SMALL_SHOP}; create table visits (customer_id int references customers on delete cascade, page text)`,
    SMALL_SHOP_DATASET,
  );
  expect((await connector.check()).problems).toEqual([
    expect.stringContaining(
      'PostgreSQL itself would change rows of "visits" (visits_customer_id_fkey, on delete cascade)',
    ),
  ]);
});

test('rows of others that point at a row that has to go stop the erasure as a whole', async () => {
  const { connector, rows } = await openStore(
    `${SMALL_SHOP}; create table audits (id int, customer_id int references customers); insert into audits values (1, 1)`,
    SMALL_SHOP_DATASET,
  );
  const before = await rows(SMALL_SHOP_TABLES);
  const scope = await located({ connector }, ANN);
  const failed = erase({ connector }, scope);
  await expect(failed).rejects.toMatchObject({ code: 'SYSTEM_FAILED', retryable: false });
  await expect(failed).rejects.toThrow('audits_customer_id_fkey');
  expect(await rows(SMALL_SHOP_TABLES)).toEqual(before);
});

test('errors never quote a value', async () => {
  const dataset = fields(`
      - name: people
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }`);
  const { connector } = await openStore(
    "create table people (id int primary key, email text check (email like '%@%')); insert into people values (1, 'secret@example.com')",
    dataset.replace(
      'data_categories: [user.contact.email]',
      'data_categories: [user.contact.email], habeas: { mask: { strategy: hash } }',
    ),
  );
  const identities = [{ type: 'email', value: 'secret@example.com' }];
  const error = await erase({ connector }, await located({ connector }, identities)).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'SYSTEM_FAILED' });
  expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  expect(String(error)).toContain('people_email_check');
});

test('two erasures of the same rows at once end both, and leave nothing', async () => {
  const { connector, rows } = await openStore(SMALL_SHOP, SMALL_SHOP_DATASET);
  const scope = await located({ connector }, ANN);
  const both = await Promise.all([erase({ connector }, scope), erase({ connector }, scope)]);
  expect(both.map(({ counts }) => counts.customers).sort()).toEqual([0, 1]);
  expect((await rows(['customers'])).customers).toHaveLength(2);
});

const CHAT = `
  create table people (id int primary key, email text);
  create table messages (id int primary key, sender int references people, receiver int references people, sender_ip text, body text);
  insert into people values (1, 'ann@example.com'), (2, 'bob@example.com');
  insert into messages values (1, 1, 2, '192.0.2.1', 'Hi Bob'), (2, 2, 1, '192.0.2.2', 'Hi Ann'), (3, 1, null, '192.0.2.1', 'Note to self')`;

const CHAT_DATASET = fields(`
      - name: people
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: messages
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - name: sender
            fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] }
            habeas: { on_erase: delete, share: shared, fields: [sender_ip] }
          - name: receiver
            fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] }
            habeas: { on_erase: delete, share: shared }
          - { name: sender_ip, data_categories: [user.device.ip_address] }
          - { name: body, data_categories: [user.content.private] }`);

test('what is exported of a shared row hides the others, and erasing one person empties what was about them', async () => {
  const { connector, rows } = await openStore(CHAT, CHAT_DATASET);
  const { items, evidence } = await collect({ connector }, ANN);
  const messages = items.filter((item) => item.collection === 'messages').map((item) => item.row);
  expect(messages.toSorted((a, b) => `${a.id}`.localeCompare(`${b.id}`))).toEqual([
    { id: '1', sender: '1', sender_ip: '192.0.2.1', body: 'Hi Bob' },
    { id: '2', receiver: '1', body: 'Hi Ann' },
    { id: '3', sender: '1', receiver: null, sender_ip: '192.0.2.1', body: 'Note to self' },
  ]);
  expect(evidence.notes.filter((note) => note.includes('another person'))).toHaveLength(2);
  const scope = await located({ connector }, ANN);
  expect((await erase({ connector }, scope)).counts).toEqual({ messages: 3, people: 1 });
  expect((await rows(['messages'])).messages).toEqual(['(1,,2,,"Hi Bob")', '(2,2,,192.0.2.2,"Hi Ann")']);
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
});

test('a row that two people share goes when both are erased at the same time', async () => {
  const { connector, rows } = await openStore(CHAT, CHAT_DATASET);
  const scopes = [await located({ connector }, ANN), await located({ connector }, BOB)] as const;
  // PostgreSQL may end one of two transactions that wait for each other; a worker then tries that one again.
  const eraseAsWorkersDo = async (scope: (typeof scopes)[number]): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await erase({ connector }, scope);
        return;
      } catch (error) {
        if (attempt === 5 || !(error instanceof HabeasError && error.retryable)) throw error;
      }
    }
  };
  await Promise.all(scopes.map(eraseAsWorkersDo));
  expect(await rows(['people', 'messages'])).toEqual({ people: [], messages: [] });
  for (const scope of scopes) expect(sum((await connector.verify(scope)).remaining)).toBe(0);
});

test('a shared row that nobody reaches any more is found by verify', async () => {
  const { connector, pool } = await openStore(CHAT, CHAT_DATASET);
  const scope = await located({ connector }, ANN);
  await erase({ connector }, scope);
  await pool.query('update public.messages set sender = null, receiver = null');
  expect((await connector.verify(scope)).remaining.messages).toBe(2);
});

test('discover tells tables, keys, references and types, a partitioned table once, and no view', async () => {
  const { connector } = await openStore(
    `create schema "Other";
     create type mood as enum ('glad', 'sad');
     create table "Other"."Mixed Case" (id uuid primary key, "select" mood not null, self uuid references "Other"."Mixed Case");
     create table events (id bigint generated always as identity, at date not null, n numeric(10,2), double numeric generated always as (n * 2) stored,
       primary key (id, at)) partition by range (at);
     create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
     create table notes (event bigint, at date, body varchar(40), unique (body), foreign key (event, at) references events on delete cascade);
     create view seen as select * from notes`,
    SMALL_SHOP_DATASET,
  );
  const shapes = await arrayOf(connector.discover?.(new AbortController().signal) ?? []);
  const named = Object.fromEntries(
    shapes.filter(({ name }) => !name.startsWith('habeas.')).map((shape) => [shape.name, shape]),
  );
  expect(Object.keys(named).sort()).toEqual(['Other.Mixed Case', 'events', 'notes']);
  expect(named['Other.Mixed Case']).toMatchObject({
    primaryKey: ['id'],
    fields: [
      { name: 'id', type: 'uuid', nullable: false, generated: false },
      { name: 'select', type: 'mood', nullable: false },
      { name: 'self', nullable: true },
    ],
    references: [
      { columns: ['self'], target: 'Other.Mixed Case', targetColumns: ['id'], onDelete: 'no action' },
    ],
  });
  expect(named.events).toMatchObject({
    primaryKey: ['id', 'at'],
    fields: [
      { name: 'id', type: 'bigint', generated: true },
      { name: 'at', type: 'date' },
      { name: 'n', type: 'numeric(10,2)', generated: false },
      { name: 'double', generated: true },
    ],
  });
  expect(named.notes).toMatchObject({
    primaryKey: [],
    uniqueKeys: [['body']],
    references: [
      { columns: ['event', 'at'], target: 'events', targetColumns: ['id', 'at'], onDelete: 'cascade' },
    ],
  });
});

test('rows without a key are known by all their values, equal ones together', async () => {
  const { connector, pool } = await openStore(
    `create table people (email text, name text, tags text[]);
     insert into people values ('ann@example.com', 'Ann', '{a,b}'), ('ann@example.com', 'Ann', '{a,b}'), ('ann@example.com', null, null), ('bob@example.com', 'Ann', '{a,b}')`,
    people(`
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: name, data_categories: [user.name] }
          - { name: tags, data_categories: [user.content] }`),
  );
  expect(await connector.check()).toMatchObject({ ok: true });
  const scope = await located({ connector }, ANN);
  // What changed since it was found is another row.
  await pool.query(`insert into public.people values ('ann@example.com', 'Anna', null)`);
  const evidence = await erase({ connector }, scope);
  expect(evidence.counts).toEqual({ people: 3 });
  expect(evidence.notes.join()).toContain('has no key');
  expect(sum((await connector.verify(scope)).remaining)).toBe(1);
  expect((await erase({ connector }, await located({ connector }, ANN))).counts).toEqual({ people: 1 });
  const { rows } = await pool.query('select email from public.people');
  expect(rows).toEqual([{ email: 'bob@example.com' }]);
});

test('people are found however their telephone numbers and letters are written', async () => {
  const { connector, pool } = await openStore(SPELLED_PEOPLE.replaceAll('TEXT', 'text'), SPELLED_DATASET);
  await expectSpelledPeople(connector, async () =>
    (await pool.query<{ id: number }>('select id from public.people order by id')).rows.map(({ id }) => id),
  );
});
