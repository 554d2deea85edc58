import { chmodSync } from 'node:fs';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../src/foundation/index.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { once } from '../once.ts';

/** Keys, composite keys, JSON, arrays, UUIDs, indexes, the planner's statistics, and the names of files in another store. */
const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: customers
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true, identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: profile, data_categories: [user.demographic] }
          - { name: tags, data_categories: [user.behavior] }
          - { name: token, data_categories: [user.unique_id] }
      - name: sales.orders
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [system.operations], fides_meta: { primary_key: true } }
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] }
          - { name: note, data_categories: [user.content.private] }
      - name: devices
        habeas: { on_erase: delete }
        fields:
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: { primary_key: true, references: [{ dataset: shop, field: customers.id, direction: from }] }
          - { name: device, data_categories: [user.device], fides_meta: { primary_key: true } }
      - name: photos
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [system.operations], fides_meta: { primary_key: true } }
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] }
          - { name: file, data_categories: [user.content.photo] }
`;

const SCHEMA = `
create schema sales;
create table customers (id text primary key, email text not null unique, profile jsonb not null, tags text[] not null, token uuid not null unique);
create index on customers using gin (profile);
create table sales.orders (id int generated always as identity primary key, customer_id text not null references customers, note text not null);
create index on sales.orders (note);
create table devices (customer_id text references customers, device text, primary key (customer_id, device));
create table photos (id int generated always as identity primary key, customer_id text not null references customers, file text not null)`;

const ROWS = `
create temporary table people as select * from jsonb_to_recordset($1::jsonb) as p (mark text, email text, "userId" text, uuid uuid);`;

const INSERTS = [
  `insert into customers select "userId", email, jsonb_build_object('about', jsonb_build_object('motto', 'I am ' || mark), mark, true),
          array['vip', 'likes ' || mark], uuid from people`,
  `insert into sales.orders (customer_id, note) select "userId", 'For ' || mark || ' ' || n from people, generate_series(1, 3) n`,
  `insert into devices select "userId", 'phone of ' || mark from people`,
  `insert into photos (customer_id, file) select "userId", 'p-' || mark from people`,
  // Former versions of rows, and samples of values in the catalog.
  `update customers set tags = tags || array['changed']`,
  'analyze',
];

const TABLES = ['customers', 'sales.orders', 'devices', 'photos'];

export async function openPostgresStore({ folder, people }: StoreOptions): Promise<CanaryStore> {
  chmodSync(folder, 0o755);
  const server = await startEmbeddedPostgres({ dataDir: folder, settings: { fsync: 'off' } });
  const url = server.superuserUrl();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(SCHEMA);
  await client.query(ROWS, [JSON.stringify(people)]);
  for (const insert of INSERTS) await client.query(insert);
  await client.query('drop table people');
  const stop = once(async () => {
    await client.end();
    await server.stop();
    return folder;
  });
  return {
    key: 'shop',
    connection: {
      kind: 'postgres',
      url,
      options: { purge: 'vacuum full' },
      residuals: ['write-ahead-log', 'planner-statistics'].map((copy) => ({ copy, for: '7d' })),
    },
    dataset: DATASET,
    async contents() {
      const all = new Map<string, string>();
      for (const table of TABLES) {
        const { rows } = await client.query<{ row: string }>(`select t::text as row from ${table} t`);
        for (const { row } of rows) all.set(`${table} ${row}`, row);
      }
      return all;
    },
    stop,
    copies: [
      { path: /\/pg_wal\//, copy: 'write-ahead-log' },
      // pg_statistic and its TOAST table, whose numbers are the same in every database.
      { path: /\/base\/\d+\/(2619|2840)$/, copy: 'planner-statistics' },
    ],
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
