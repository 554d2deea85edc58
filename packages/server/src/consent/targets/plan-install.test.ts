import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTargetHouse, type TargetHouse } from '../../../test/consent/target-house.ts';
import { databaseUrl, onServer } from '../../../test/database.ts';
import { applyInstall, type InstallPlan, planInstall, type Target } from './index.ts';

let house: TargetHouse;
beforeAll(async () => {
  house = await openTargetHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

async function on(work: typeof planInstall, target: Target = house.target): Promise<InstallPlan> {
  const client = await house.shop.connect();
  try {
    return await work(client, target);
  } finally {
    client.release();
  }
}

const shortly = ({ steps }: InstallPlan) =>
  steps.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

it('says what it would make, makes that, and then has nothing to do', async () => {
  const planned = await on(planInstall);
  expect(shortly(planned)).toEqual(
    expect.arrayContaining([
      'make schema habeas_consent',
      'make table signatures_email',
      'make view purpose_fraud.letters',
      'make row security public.orders',
      `make role habeas_${house.target.key}_analytics`,
    ]),
  );
  const { rows } = await house.shop.query(`select from pg_namespace where nspname ~ '^(habeas|purpose)_'`);
  expect(rows).toEqual([]);
  expect(shortly(await on(applyInstall))).toEqual(shortly(planned));
  expect(shortly(await on(planInstall))).toEqual([]);
  await house.sync();
});

it.each([
  [
    'a view that shows everybody',
    'create or replace view purpose_fraud.letters with (security_barrier) as select * from letters',
    'view purpose_fraud.letters',
  ],
  [
    'a view without its barrier',
    'alter view purpose_fraud.letters set (security_barrier = false)',
    'view purpose_fraud.letters',
  ],
  ['a right for everybody', 'grant select on purpose_fraud.letters to public', 'view purpose_fraud.letters'],
  [
    'a function that compares otherwise',
    "create or replace function habeas_consent.email_identity(address text) returns text language sql immutable parallel safe as 'select address'",
    'function email_identity',
  ],
  ['a policy', 'drop policy habeas_purpose on orders', 'row security public.orders'],
  [
    'row security that is off',
    'alter table letters disable row level security',
    'row security public.letters',
  ],
  ['a view that is gone', 'drop view purpose_analytics.sites', 'view purpose_analytics.sites'],
  ['a role that reads the table', 'grant select on letters to "ROLE_fraud"', 'role ROLE_fraud'],
  [
    'a role that reads a column of it',
    'grant select (address) on letters to "ROLE_fraud"',
    'role ROLE_fraud',
  ],
  ['a role that may go around policies', 'alter role "ROLE_fraud" bypassrls', 'role ROLE_fraud'],
  [
    'an index that is gone',
    'drop index habeas_consent.signatures_email_identity_idx',
    'table signatures_email',
  ],
])('finds %s, names it, and puts it right', async (_, change, named) => {
  const role = `habeas_${house.target.key}`;
  await house.shop.query(change.replace('ROLE', role));
  const { drift } = await on(planInstall);
  expect(drift.map(({ action, kind, name }) => `${action} ${kind} ${name}`)).toEqual([
    `restore ${named.replace('ROLE', role)}`,
  ]);
  await on(applyInstall);
  expect(shortly(await on(planInstall))).toEqual([]);
  await house.sync();
});

it('names what nobody planned where only planned things may be, and leaves it', async () => {
  await house.shop.query('create view purpose_fraud.extra as select 1 as one');
  expect(shortly(await on(applyInstall))).toEqual(['unknown view purpose_fraud.extra']);
  expect((await house.shop.query('select * from purpose_fraud.extra')).rows).toEqual([{ one: 1 }]);
  await house.shop.query('drop view purpose_fraud.extra');
});

it('refuses to end with a role that everybody lets read the table', async () => {
  await house.shop.query('grant select on letters to public');
  await expect(on(applyInstall)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('public.letters'),
  });
  await house.shop.query('revoke select on letters from public');
});

it('follows the configuration: a table, a purpose and row security that come and go', async () => {
  const less: Target = {
    ...house.target,
    rowSecurity: false,
    tables: house.target.tables.filter(({ name }) => name !== 'letters'),
    purposes: house.target.purposes.filter(({ code }) => code !== 'fraud'),
  };
  await on(applyInstall, less);
  const { rows } = await house.shop.query(
    `select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname ~ '^purpose_' order by 1`,
  );
  expect(rows.map(({ relname }) => relname)).toEqual([
    'accounts',
    'accounts',
    'orders',
    'orders',
    'sites',
    'sites',
    'user_events',
    'user_events',
  ]);
  expect((await house.shop.query('select from pg_policy')).rows).toEqual([]);
  expect(shortly(await on(planInstall, less))).toEqual([]);
  const before = await house.shop.query('select code, number from habeas_consent.purposes');
  await on(applyInstall);
  expect((await house.shop.query('select code, number from habeas_consent.purposes')).rows).toEqual(
    before.rows,
  );
});

it('keeps each person’s number, and gives none again, whatever makes the table of numbers anew', async () => {
  await on(applyInstall);
  await house.say([1, 2, 3].map((person) => ({ type: 'user_id', person, choices: { analytics: false } })));
  await house.sync(true);
  const numbers = async () =>
    (await house.shop.query('select identity, key from habeas_consent.signatures_user_id order by key')).rows;
  const before = await numbers();
  expect(before.length).toBeGreaterThan(2);
  const less = { ...house.target, purposes: house.target.purposes.filter(({ code }) => code !== 'fraud') };
  for (const [change, target] of [
    ['create index on habeas_consent.signatures_user_id (denied)', house.target],
    ['select 1', less],
    ['select 1', house.target],
  ] as const) {
    await house.shop.query(change);
    expect(shortly(await on(applyInstall, target)).join()).toMatch(/table signatures_user_id/);
    expect(await numbers()).toEqual(before);
  }
  const newest = 'select key from habeas_consent.signatures_user_id order by key desc limit 1';
  const last = (await house.shop.query(newest)).rows[0].key;
  await house.shop.query('delete from habeas_consent.signatures_user_id where key = $1', [last]);
  await house.shop.query('create index on habeas_consent.signatures_user_id (denied)');
  await on(applyInstall);
  await house.shop.query(
    "insert into habeas_consent.signatures_user_id (identity, granted, denied) values ('somebody else', 0, 0)",
  );
  expect((await house.shop.query(newest)).rows[0].key).toBeGreaterThan(last);
  await house.sync(true);
});

it('makes the bits of a purpose anew when it is no longer allowed until refused', async () => {
  const stricter: Target = {
    ...house.target,
    purposes: house.target.purposes.map((purpose) => ({ ...purpose, optOut: false })),
  };
  await on(applyInstall, stricter);
  expect((await house.shop.query('select * from purpose_fraud.orders')).rows).toEqual([]);
});

it('takes columns whose values are identities as they are written, and refuses others by name', async () => {
  await house.shop.query(`create domain handle as varchar(20);
    create table typed (named text, handle handle, code char(8), small smallint, large bigint, id uuid, price numeric(10, 2), made date, folded "char")`);
  const planned = (column: string, key?: string) => {
    const table = {
      kind: 'protected',
      schema: 'public',
      name: 'typed',
      identity: 'user_id',
      column,
      key,
    } as const;
    return on(planInstall, { ...house.target, tables: [table] });
  };
  try {
    for (const column of ['named', 'handle', 'code', 'small', 'large', 'id'])
      expect((await planned(column)).steps.length).toBeGreaterThan(0);
    for (const [column, type] of [
      ['price', 'numeric(10,2)'],
      ['made', 'date'],
      ['folded', '"char"'],
    ] as const)
      await expect(planned(column)).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringContaining(
          `public.typed.${column} is ${type}, and people are named by texts, whole numbers or uuids: add a column`,
        ),
      });
    await expect(planned('named', 'price')).rejects.toMatchObject({
      message: expect.stringContaining('public.typed.price is numeric(10,2), and no whole number'),
    });
  } finally {
    await house.shop.query('drop table typed; drop domain handle');
  }
});

it('refuses texts in a database that composes no letters, and takes whole numbers there', async () => {
  const name = `test_latin_${process.pid}`;
  await onServer(`create database ${name} template template0 encoding 'LATIN1' locale 'C'`);
  const client = new pg.Client({ connectionString: databaseUrl(name) });
  await client.connect();
  try {
    await client.query('create table orders (customer int, named text)');
    const table = {
      kind: 'protected',
      schema: 'public',
      name: 'orders',
      identity: 'user_id',
      key: undefined,
    } as const;
    const planned = (column: string) =>
      planInstall(client, { ...house.target, tables: [{ ...table, column }] });
    await expect(planned('named')).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('the database is in LATIN1: use one in UTF-8'),
    });
    expect((await planned('customer')).steps.length).toBeGreaterThan(0);
  } finally {
    await client.end();
    await onServer(`drop database ${name}`);
  }
});

it.each([
  ['has no column nobody', { column: 'nobody' }],
  ['public.nothing is not there', { name: 'nothing' }],
])('says what is wrong: %s', async (words, change) => {
  const target = { ...house.target, tables: house.target.tables.map((table) => ({ ...table, ...change })) };
  await expect(on(planInstall, target)).rejects.toMatchObject({
    code: 'SCHEMA_MISMATCH',
    message: expect.stringContaining(words),
  });
});

it.each([
  ['orders_1', 'public.orders_1 is declared to have none of people, and shares rows with public.orders'],
  [
    'all_letters',
    'public.all_letters is declared to have none of people, and shares rows with public.letters',
  ],
  ['half', 'public.half is declared to have none of people, and shares rows with public.letters'],
])('refuses to call %s a table without people', async (name, words) => {
  await house.shop.query(
    `create table if not exists all_letters (); alter table letters inherit all_letters;
     create table half (); create table both_halves () inherits (half, letters)`,
  );
  const open = { kind: 'open', schema: 'public', name } as const;
  try {
    await expect(
      on(planInstall, { ...house.target, tables: [...house.target.tables, open] }),
    ).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', message: expect.stringContaining(words) });
  } finally {
    await house.shop.query('drop table both_halves, half; alter table letters no inherit all_letters');
  }
});

it('gives tables of several schemas that have one name a view each', async () => {
  await house.shop.query('create schema if not exists second; create table second.sites (site text)');
  const second = { kind: 'open', schema: 'second', name: 'sites' } as const;
  const target = { ...house.target, tables: [...house.target.tables, second] };
  const planned = shortly(await on(applyInstall, target));
  expect(planned).toEqual(
    expect.arrayContaining([
      'remove view purpose_fraud.sites',
      'make view purpose_fraud.public.sites',
      'make view purpose_fraud.second.sites',
    ]),
  );
  expect(shortly(await on(planInstall, target))).toEqual([]);
  const count = (view: string) => house.shop.query(`select count(*)::int as n from purpose_fraud."${view}"`);
  expect((await count('public.sites')).rows).toEqual([{ n: 5 }]);
  expect((await count('second.sites')).rows).toEqual([{ n: 0 }]);
  await on(applyInstall);
});

it('leaves a table alone that has row security of its own, and a target of somebody else', async () => {
  await house.shop.query('create table mine (user_id text); alter table mine enable row level security');
  const table = {
    kind: 'protected',
    schema: 'public',
    name: 'mine',
    identity: 'user_id',
    column: 'user_id',
    key: undefined,
  } as const;
  await expect(
    on(planInstall, { ...house.target, tables: [...house.target.tables, table] }),
  ).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('of its own'),
  });
  await expect(on(planInstall, { ...house.target, organizationId: 'other' })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('belongs to'),
  });
});
