import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomQuery } from '../../../test/consent/random-query.ts';
import { STATEMENTS } from '../../../test/consent/statements.ts';
import { openTwoShops, type Shop } from '../../../test/consent/two-shops.ts';
import { createCatalog, enforceSql, loadParser, loadSnapshot, type RelationCatalog } from './index.ts';

let full: Shop;
let truth: Shop;
let catalog: RelationCatalog;

const PEOPLE = ['user_events', 'profiles', 'visits', 'Tabelle ä'];
const OPEN = ['sites', 'results', '💶'];
const RANDOM_QUERIES = 300;
/** In milliseconds; what is narrowed may take longer. */
const PATIENCE = { truth: 150, full: 2_000 };

beforeAll(async () => {
  await loadParser();
  ({ full, truth } = await openTwoShops(PATIENCE));
  catalog = createCatalog(await loadSnapshot(full.pool), {
    narrowed: ({ schema, name }) =>
      PEOPLE.includes(name) && schema !== 'shop_b'
        ? (row) => ` where exists (select from consent.agreed as a where a.user_id = ${row}.user_id)`
        : undefined,
    open: ({ schema, name }) => OPEN.includes(name) || schema === 'shop_b',
    functions: [],
  });
});

afterAll(async () => {
  await full?.[Symbol.asyncDispose]();
  await truth?.[Symbol.asyncDispose]();
});

/** With tables of one name in two schemas. */
const TWO_SCHEMAS = [
  'select count(*) from public.user_events e, shop_b.user_events b where e.id = b.id and e.n > b.n',
  'select count(*) from public.user_events e where exists (select from shop_b.user_events where user_events.id = e.id)',
  'select a.n, (select count(*) from public.user_events where user_events.n = a.n) from shop_b.user_events a',
  'select site, (select count(*) from user_events where event_site = site and sites.ctid is not null) from sites',
  'select (select count(*) from shop_b.user_events tablesample system (100)), count(*) from user_events',
  'select j.kind, b.n from (public.user_events join sites on site = event_site) as j, shop_b.user_events b where j.id = b.id',
  'select count(*) from (public.user_events join sites on site = event_site) as j, shop_b.user_events where j.id = user_events.id',
  'select public.sites.rank, shop_b.sites.rank, (select count(*) from user_events) from public.sites, shop_b.sites where public.sites.site = shop_b.sites.site',
];

/** What it gives, or undefined if the database gave up: some random statements have too many rows to be counted. */
async function inTime<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if ((error as { code?: string }).code === '57014') return undefined;
    throw error;
  }
}

/** Rows as texts, in no order. */
async function rowsOf(database: Shop, sql: string): Promise<readonly string[]> {
  const { rows } = await database.pool.query({ text: sql, rowMode: 'array' });
  return rows.map((row) => JSON.stringify(row)).sort();
}

describe('each statement sees what it would see if the rows of those who refused were not there', () => {
  it.each([...STATEMENTS, ...TWO_SCHEMAS])('%s', async (sql) => {
    const expected = await rowsOf(truth, sql);
    expect(await rowsOf(full, enforceSql(sql, catalog).sql)).toEqual(expected);
  });
});

it('would notice: most of these statements give something else without it', async () => {
  let different = 0;
  for (const sql of STATEMENTS) {
    const [all, some] = [await rowsOf(full, sql), await rowsOf(truth, sql)];
    if (JSON.stringify(all) !== JSON.stringify(some)) different += 1;
  }
  expect(STATEMENTS.length).toBeGreaterThanOrEqual(200);
  expect(different / STATEMENTS.length).toBeGreaterThan(0.85);
});

it.each([
  ['insert into results select event_site, count(*) from user_events group by 1', 'select * from results'],
  [
    'insert into results as r select event_site, 1 from user_events group by 1 on conflict (site) do update set n = r.n + (select count(*) from profiles) returning *',
    'select * from results',
  ],
  ['create table made as select user_id, n from user_events where n > 3', 'select * from made'],
  ['select user_id into made from profiles', 'select * from made'],
  ['create table made as table user_events', 'select * from made'],
  ['update results set n = (select count(*) from user_events)', 'select * from results'],
  [
    'update results set (site, n) = (select site, rank + 10 from sites s where s.site = results.site) where site in (select event_site from user_events)',
    'select * from results',
  ],
  [
    'update results set (n, site) = (select count(*), results.site || min(e.event_site) from public.user_events e, profiles where e.user_id = profiles.user_id and e.event_site = results.site)',
    'select * from results',
  ],
  [
    'update results set (n, site) = (select max(public.user_events.n), results.site || count(*) from -- a table\n public.user_events where public.user_events.event_site = results.site)',
    'select * from results',
  ],
  [
    "insert into results select 's1', 2 on conflict (site) do update set (site, n) = (select s.site || '!', count(*) from sites s, user_events e where e.event_site = s.site and s.site = excluded.site group by 1)",
    'select * from results',
  ],
  [
    "with x as (insert into profiles (user_id) values ('new') returning public.profiles.user_id as id, (select count(*) from public.profiles where public.profiles.user_id < 'v') as n) insert into results select id, n from x",
    'select * from results',
  ],
  [
    'insert into -- results table\n results select event_site || 1, count(*) from user_events group by 1',
    'select * from results',
  ],
  [
    'delete from results where site in (select event_site from user_events where id < 100)',
    'select * from results',
  ],
])('writes what it would write: %s', async (sql, look) => {
  const written: (readonly string[])[] = [];
  for (const [database, text] of [
    [full, enforceSql(sql, catalog).sql],
    [truth, sql],
  ] as const) {
    const client = await database.pool.connect();
    try {
      await client.query("begin; insert into results select 's' || i, i from generate_series(0, 3) i");
      await client.query(sql.includes('insert into results select') ? 'delete from results' : 'select');
      await client.query(text);
      const { rows } = await client.query({ text: look, rowMode: 'array' });
      written.push(rows.map((row) => JSON.stringify(row)).sort());
    } finally {
      await client.query('rollback');
      client.release();
    }
  }
  expect(written[0]).toEqual(written[1]);
  expect(written[0]?.length).toBeGreaterThan(0);
});

it.each([
  ['select 1; select 2', '2 statements'],
  [' ', 'no statement'],
  ['-- select 1', 'no statement'],
  ['selec 1', 'syntax error at or near "selec" (line 1, column 1)'],
  ['select 1\nfrom from', '(line 2, column 6)'],
  ['select count(*) from user_events\0; select 1', 'NUL'],
  ['select * from unheard_of', 'consent.targets[].tables'],
  ['select * from consent.agreed', 'consent.targets[].tables'],
  ['select * from pg_stats', 'consent.targets[].tables'],
  ['select * from information_schema.tables', 'consent.targets[].tables'],
  ['select * from other.public.user_events', 'with its database'],
  ['copy user_events to stdout', 'COPY'],
  ['do $$ begin end $$', 'DO'],
  ['call p()', 'CALL'],
  ['prepare p as select * from user_events', 'PREPARE'],
  ['declare c cursor for select * from user_events', 'CURSOR'],
  ['explain analyze select * from user_events', 'EXPLAIN'],
  ['set role postgres', 'SET'],
  ['truncate user_events', 'TRUNCATE'],
  ['lock user_events', 'LOCK'],
  ['create view v as select * from user_events', 'VIEW'],
  ['create materialized view v as select * from user_events', 'materialized'],
  ['refresh materialized view v', 'REFRESH'],
  ['merge into results r using user_events e on r.site = e.event_site when matched then delete', 'MERGE'],
  ['update user_events set n = 1', 'only add rows'],
  ['delete from user_events', 'only add rows'],
  [
    'insert into profiles values ($$u1$$) on conflict (user_id) do update set name = profiles.name',
    'only add rows',
  ],
  ['insert into site_views values (1)', 'is a view'],
  ['with x as (delete from user_events returning *) select * from x', 'only add rows'],
  ['select * from user_events for update', 'FOR UPDATE'],
  ['select * from user_events *', 'Name it as `schema.table as alias`'],
  ['table /* of people */ user_events', 'Name it as `schema.table as alias`'],
  ['select * from only user_events', '`only`'],
  ['select * from user_events tablesample system (50)', 'among the rows of everybody'],
  ['select * from site_views tablesample system (50)', 'among the rows of everybody'],
  ['select * from sites tablesample system_rows (5)', 'TABLESAMPLE'],
  [
    'select * from public.user_events, shop_b.user_events where public.user_events.id = shop_b.user_events.id',
    'Give each of the tables called user_events an alias',
  ],
  [
    'select 1 from shop_b.user_events tablesample system (10) join public.user_events on true',
    'Give each of the tables called user_events an alias',
  ],
  [
    'update shop_b.user_events set n = 1 from sites join public.user_events on true',
    'Give each of the tables called user_events an alias',
  ],
  [
    'select (select count(*) from shop_b.user_events where public.user_events.id = 1) from public.user_events',
    'Give the table an alias',
  ],
  [
    'select (select count(*) from sites user_events where public.user_events.event_site = site) from user_events',
    'Give the table an alias',
  ],
  [
    'with user_events as (select 1 as id) select (select count(*) from user_events where public.user_events.id = 1) from public.user_events',
    'Give the table an alias',
  ],
  [
    'select (select public.profiles.user_id from cast(profiles.name as text)) from public.profiles',
    'Give the table an alias',
  ],
  ['select other.public.user_events.id from user_events', 'with its database'],
  ['select (select count(*) from user_events where ctid = sites.ctid) from sites', 'no column "ctid"'],
  ['select site from sites where exists (select from site_views where xmin is not null)', 'no column "xmin"'],
  ['select own_count()', 'consent.targets[].functions'],
  ['select public.own_count()', 'consent.targets[].functions'],
  ['select site ~~> $$%$$ from sites', 'code of your own runs for it'],
  ['select site operator(public.~~>) $$%$$ from sites', 'code of your own runs for it'],
  ['select owner::mood from sites', 'code of your own runs for a cast'],
  ['select cast($$u1$$ as public.mood)', 'code of your own runs for a cast'],
  [`select query_to_xml('select * from user_events', true, true, '')`, 'query_to_xml'],
  [`select table_to_xml('user_events', true, true, '')`, 'table_to_xml'],
  [`select pg_read_file('/etc/passwd')`, 'pg_read_file'],
  [`select set_config('role', 'postgres', false)`, 'set_config'],
  [`select * from dblink('x', 'select 1') as t(a int)`, 'dblink'],
  [`select ts_stat('select 1')`, 'ts_stat'],
  [`select lo_import('/etc/passwd')`, 'lo_import'],
])('refuses %s', (sql, reason) => {
  expect(() => enforceSql(sql, catalog)).toThrow(
    expect.objectContaining({ code: 'SQL_REFUSED', message: expect.stringContaining(reason) }),
  );
});

it('refuses more than a megabyte', () => {
  expect(() => enforceSql(`select ${'1 + '.repeat(300_000)}1`, catalog)).toThrow(
    expect.objectContaining({ code: 'SQL_REFUSED', message: expect.stringContaining('are read') }),
  );
});

it('leaves a statement that reads nothing of people as it is', () => {
  expect(enforceSql('select  *\nfrom public.sites -- all', catalog)).toEqual({
    sql: 'select  *\nfrom public.sites -- all',
    relations: [],
  });
});

it.each([
  ['select sites.site, sites from sites where sites.owner is null', '"public"."sites"'],
  ['table sites', '"public"."sites"'],
  ['select ctid, site from sites tablesample system (100)', '"public"."sites" tablesample system (100)'],
  ['select * from -- fact table\n sites', '-- fact table\n "public"."sites"'],
  ['select * from sites, -- dimension table\n results r', '-- dimension table\n "public"."results" r'],
  [
    'insert into -- results table\n results select site, 1 from sites',
    '-- results table\n "public"."results" select',
  ],
  [
    'update results set (site, n) = (select site, rank from sites s where s.site = results.site)',
    '(select site, rank from "public"."sites" s where',
  ],
  [
    "insert into results values ('s1', 1) on conflict (site) do update set (site, n) = (select site, 2 from sites s where s.site = excluded.site)",
    'select site, 2 from "public"."sites" s',
  ],
  ['select * from 💶 e, sites where sites.site = e.site', '"public"."💶" e, "public"."sites" where'],
  ['select * from only sites s, u&"!0073ites" uescape \'!\' t', '"public"."sites" s, "public"."sites" t'],
  [
    'with sites as (select * from sites) select * from sites',
    '(select * from "public"."sites") select * from sites',
  ],
  ['insert into results as r select site, 1 from public.sites', 'into "public"."results" as r'],
  ['insert into profiles (user_id) select site from sites', 'into "public"."profiles" (user_id)'],
  ['update results set n = results.n', 'update "public"."results" set n = results.n'],
  [
    'delete from results using sites where results.site = sites.site',
    'from "public"."results" using "public"."sites"',
  ],
])('reads no other table of the same name: %s', async (sql, part) => {
  const { sql: text } = enforceSql(sql, catalog);
  expect(text).toContain(part);
  const client = await full.pool.connect();
  try {
    await client.query(
      'begin; create temporary table sites as select 1 as other; create temporary table results as select 1 as other',
    );
    await client.query('create temporary table profiles as select 1 as other');
    await client.query(text);
  } finally {
    await client.query('rollback');
    client.release();
  }
});

it('says which tables were narrowed, those behind views too', () => {
  const { relations } = enforceSql('select 1 from busy_sites, profiles p, profiles q', catalog);
  expect(relations).toEqual([
    { schema: 'public', name: 'user_events' },
    { schema: 'public', name: 'profiles' },
  ]);
});

it('refuses a statement that is nested deeper than the parser can read, and reads the next one', () => {
  expect(() => enforceSql(`select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`, catalog)).toThrow(
    expect.objectContaining({ code: 'SQL_REFUSED' }),
  );
  expect(enforceSql('select 1', catalog).sql).toBe('select 1');
});

it.each([
  ['operators', `select ${'1 + '.repeat(5_000)}1`],
  ['sets', `${'select 1 from user_events union all '.repeat(5_000)}select 2`],
  ['texts', `select ${"'x' || ".repeat(5_000)}'x' from user_events`],
])('refuses by name a chain of %s that is deeper than its tree can be walked over', (_, sql) => {
  expect(() => enforceSql(sql, catalog)).toThrow(
    expect.objectContaining({ code: 'SQL_REFUSED', message: expect.stringContaining('nested too deeply') }),
  );
});

it('narrows a megabyte of SQL, each of thousands of names in it', async () => {
  const one =
    "(select count(*) from /* of 'ü' */ user_events where kind <> 'a rather long text that stands for nothing')";
  const sql = `select ${Array.from({ length: 8_500 }, () => one).join(',\n')}`;
  expect(sql.length).toBeGreaterThan(900_000);
  expect(sql.length).toBeLessThan(1_000_000);
  const { sql: text, relations } = enforceSql(sql, catalog);
  expect(relations).toEqual([{ schema: 'public', name: 'user_events' }]);
  expect(text.split('consent.agreed')).toHaveLength(8_501);
});

it('sees the same in whatever statement the grammar makes', async () => {
  const choices = fc.array(fc.nat({ max: 10_000 }), { minLength: 30, maxLength: 120 });
  const summaryOf = (sql: string) =>
    `select count(*), count(distinct u), sum(n), min(u), max(u) from (${sql}) as q`;
  let different = 0;
  await fc.assert(
    fc.asyncProperty(choices, async (made) => {
      const sql = randomQuery(made);
      const expected = await inTime(() => rowsOf(truth, summaryOf(sql)));
      fc.pre(expected !== undefined);
      const found = await inTime(() => rowsOf(full, summaryOf(enforceSql(sql, catalog).sql)));
      fc.pre(found !== undefined);
      expect(String(found)).toBe(String(expected));
      const all = await inTime(() => rowsOf(full, summaryOf(sql)));
      if (all !== undefined && String(all) !== String(expected)) different += 1;
    }),
    { numRuns: RANDOM_QUERIES, endOnFailure: true },
  );
  expect(different).toBeGreaterThan(RANDOM_QUERIES / 2);
});
