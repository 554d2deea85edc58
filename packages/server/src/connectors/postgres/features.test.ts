import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { collect, erase, located, sum } from '../../../test/connector-contract.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const ANN = [{ type: 'email', value: 'ann@example.com' }];

interface Store {
  readonly connector: Connector;
  readonly pool: pg.Pool;
  readonly database: TestDatabase;
}

const opened: Store[] = [];

afterEach(async () => {
  for (const { connector, database } of opened.splice(0)) {
    await connector.close();
    await database.close();
  }
});

async function openStore(schema: string, fields: string): Promise<Store> {
  const database = await createTestDatabase();
  await database.pool.query(`set search_path = public; ${schema}; set search_path = habeas`);
  const connector = createPostgresConnector({
    key: 'shop',
    url: database.url,
    datasets: parseDatasets(
      `
dataset:
  - fides_key: shop
    collections:
      - name: people
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }${fields}`,
      'shop.yaml',
    ),
    clock: fixedClock('2026-01-01T00:00:00Z'),
  });
  const store = { connector, pool: database.pool, database };
  opened.push(store);
  return store;
}

async function eraseAnn({ connector }: Store): Promise<void> {
  expect((await connector.check()).problems).toEqual([]);
  const scope = await located({ connector }, ANN);
  await erase({ connector }, scope);
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
  expect(sum((await erase({ connector }, scope)).counts)).toBe(0);
}

test.each([
  ['{"name": "Ann", "theme": "dark"}', '{"theme": "dark"}'],
  ['{"name": null, "theme": "dark"}', '{"theme": "dark"}'],
  ['{"theme": "dark"}', '{"theme": "dark"}'],
  ['{"home": {"city": "Rome", "zone": 1}, "theme": "dark"}', '{"home": {"zone": 1}, "theme": "dark"}'],
  ['{"home": [{"city": "Rome"}, {"city": "Oslo"}], "theme": "dark"}', '{"theme": "dark"}'],
  ['{"home": "Rome", "theme": "dark"}', '{"home": "Rome", "theme": "dark"}'],
  ['{"a.b": 1, "nick": "Annie"}', '{"a.b": 1, "nick": "erased"}'],
  ['["Ann"]', '{}'],
  ['"Ann"', '{}'],
  [null, null],
])('of %s inside a column of jsonb only what is personal goes', async (before, after) => {
  const store = await openStore(
    'create table people (id int primary key, email text, profile jsonb)',
    `
          - { name: profile.name, data_categories: [user.name] }
          - { name: profile.home.city, data_categories: [user.contact.address.city] }
          - { name: profile.nick, data_categories: [user.name], habeas: { mask: { strategy: fixed, value: erased } } }
          - { name: profile.theme, data_categories: [system.operations] }`,
  );
  await store.pool.query(
    `insert into public.people values (1, 'ann@example.com', $1), (2, 'bob@example.com', $1)`,
    [before],
  );
  await eraseAnn(store);
  const { rows } = await store.pool.query('select profile::text from public.people order by id');
  expect(rows.map(({ profile }) => profile)).toEqual([after, before]);
});

test('another mask than nothing or a fixed value inside a column is told at the check', async () => {
  const { connector } = await openStore(
    'create table people (id int primary key, email text, profile jsonb)',
    `
          - { name: profile.name, data_categories: [user.name], habeas: { mask: { strategy: hash } } }`,
  );
  expect((await connector.check()).problems).toEqual([
    '"people.profile.name" lies inside a column: choose `null` or `fixed`.',
  ]);
});

test('arrays and other types without a plain form are given and masked as a whole', async () => {
  const store = await openStore(
    `create table people (id int primary key, email text, tags text[], spots point, raw json, net cidr[]);
     insert into people select g, e, array['a,b', null, '"q"'], point(1, 2), '{"a": 1}', array['10.0.0.0/8'::cidr]
       from (values (1, 'ann@example.com'), (2, 'bob@example.com')) p(g, e)`,
    `
          - { name: tags, data_categories: [user.content] }
          - { name: spots, data_categories: [user.location] }
          - { name: raw, data_categories: [user.content] }
          - { name: net, data_categories: [user.device.ip_address] }`,
  );
  const { items } = await collect(store, ANN);
  expect(items.map(({ row }) => row)).toMatchObject([
    { tags: '{"a,b",NULL,"\\"q\\""}', spots: '(1,2)', raw: '{"a": 1}', net: '{10.0.0.0/8}' },
  ]);
  await eraseAnn(store);
  const { rows } = await store.pool.query(
    'select tags::text, spots::text, raw::text, net::text from public.people order by id',
  );
  expect(rows).toEqual([
    { tags: null, spots: null, raw: null, net: null },
    { tags: '{"a,b",NULL,"\\"q\\""}', spots: '(1,2)', raw: '{"a": 1}', net: '{10.0.0.0/8}' },
  ]);
});

test('rows of every partition are found and erased, generated columns follow, identity columns stay', async () => {
  const store = await openStore(
    `create table people (id bigint generated always as identity, email text, year int not null, name text,
       shout text generated always as (upper(name)) stored, primary key (id, year)) partition by list (year);
     create table people_1 partition of people for values in (1);
     create table people_2 partition of people for values in (2) partition by range (id);
     create table people_2a partition of people_2 for values from (0) to (1000);
     create table people_rest partition of people default;
     insert into people (email, year, name) select e, y, 'Ann' from generate_series(1, 3) y, (values ('ann@example.com'), ('bob@example.com')) p(e)`,
    `
          - { name: year, fides_meta: { primary_key: true } }
          - { name: name, data_categories: [user.name] }
          - { name: shout, data_categories: [user.name] }`,
  );
  expect((await collect(store, ANN)).items).toHaveLength(3);
  await eraseAnn(store);
  const { rows } = await store.pool.query(
    'select email, name, shout, count(*)::int from public.people group by 1, 2, 3 order by 1',
  );
  expect(rows).toEqual([
    { email: 'bob@example.com', name: 'Ann', shout: 'ANN', count: 3 },
    { email: null, name: null, shout: null, count: 3 },
  ]);
});

test('triggers run with the erasure, and one that refuses stops it as a whole', async () => {
  const store = await openStore(
    `create table people (id int primary key, email text, name text);
     create table changes (person int, at timestamptz default now());
     create function note_change() returns trigger language plpgsql as $$ begin insert into public.changes (person) values (old.id); return new; end $$;
     create trigger noted after update on people for each row execute function note_change();
     insert into people values (1, 'ann@example.com', 'Ann'), (2, 'bob@example.com', 'Bob')`,
    `
          - { name: name, data_categories: [user.name] }`,
  );
  await eraseAnn(store);
  expect((await store.pool.query('select person from public.changes')).rows).toEqual([{ person: 1 }]);
  await store.pool.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'of %', old.email; end $$;
    create trigger refused before update on public.people for each row execute function refuse()`);
  const failed = erase(store, await located(store, [{ type: 'email', value: 'bob@example.com' }]));
  await expect(failed).rejects.toMatchObject({ code: 'SYSTEM_FAILED' });
  await expect(failed).rejects.not.toThrow(/bob/);
  expect((await store.pool.query('select name from public.people order by id')).rows).toEqual([
    { name: null },
    { name: 'Bob' },
  ]);
});

test.each([
  [
    'no rights',
    'grant usage on schema public to ROLE',
    ['This user may not read the table "people".', 'This user may not delete from the table "people".'],
  ],
  [
    'reading alone',
    'grant usage on schema public to ROLE; grant select on public.people to ROLE',
    ['This user may not delete from the table "people".'],
  ],
  [
    'no right to the schema',
    'revoke usage on schema public from public; grant select, delete on public.people to ROLE',
    [
      'This user may not use the schema "public", in which the table "people" lies: grant it usage on the schema.',
    ],
  ],
])('a user with %s is told what is lacking at the check', async (_, grant, wanted) => {
  const store = await openStore('create table people (id int primary key, email text)', '');
  const role = `bare_${randomUUID().slice(0, 8)}`;
  await store.pool.query(`create role ${role} login password 'secret'; ${grant.replaceAll('ROLE', role)}`);
  const url = new URL(store.database.url);
  url.username = role;
  url.password = 'secret';
  const limited = createPostgresConnector({
    key: 'shop',
    url: url.toString(),
    datasets: parseDatasets(
      'dataset: [{ fides_key: shop, collections: [{ name: people, habeas: { on_erase: delete }, fields: [{ name: id }, { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }] }] }]',
      'shop.yaml',
    ),
    clock: fixedClock('2026-01-01T00:00:00Z'),
  });
  try {
    const { ok, problems } = await limited.check();
    expect({ ok, problems }).toEqual({ ok: false, problems: wanted });
  } finally {
    await limited.close();
    await store.pool.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test('row security that hides rows is told at the check, and a view is no table', async () => {
  const store = await openStore(
    `create table people (id int primary key, email text);
     alter table people enable row level security;
     create policy own on people using (id = 2);
     insert into people values (1, 'ann@example.com')`,
    '',
  );
  const role = `rls_${randomUUID().slice(0, 8)}`;
  await store.pool.query(`create role ${role} login password 'secret'; grant usage on schema public to ${role};
    grant select, update, delete on public.people to ${role}`);
  const url = new URL(store.database.url);
  url.username = role;
  url.password = 'secret';
  const datasets = parseDatasets(
    'dataset: [{ fides_key: shop, collections: [{ name: people, fields: [{ name: id }, { name: email, fides_meta: { identity: email } }] }] }]',
    'shop.yaml',
  );
  const limited = createPostgresConnector({
    key: 'shop',
    url: url.toString(),
    datasets,
    clock: fixedClock('2026-01-01T00:00:00Z'),
  });
  try {
    expect((await limited.check()).problems).toEqual([expect.stringContaining('BYPASSRLS')]);
    await expect(located({ connector: limited }, ANN)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await store.pool.query(
      'alter table public.people rename to persons; create view public.people as select * from public.persons',
    );
    expect((await store.connector.check()).problems).toEqual([
      'The table "people" does not exist, or is a view.',
    ]);
  } finally {
    await limited.close();
    await store.pool.query(`drop owned by ${role}; drop role ${role}`);
  }
});
