import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ConsentExportError, type DuckDbTable, EnforceError, enforce, openConsentExport } from '@habeas/sdk';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomQuery } from '../../../test/consent/random-query.ts';
import { PUBLIC_KEY, writeSignedExport } from '../../../test/consent/signed-export.ts';
import { STATEMENTS } from '../../../test/consent/statements.ts';
import { agreed } from '../../../test/consent/two-shops.ts';

const PEOPLE = 20;
const FORMS = ['granted', 'denied'] as const;
const folder = mkdtempSync(join(tmpdir(), 'habeas-duckdb-'));
const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
const full = await instance.connect();
const truthInstance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
const truth = await truthInstance.connect();
const tables: Record<(typeof FORMS)[number], DuckDbTable[]> = { granted: [], denied: [] };

type Connection = typeof full;

/** Rows of the people of this condition on their number `p`. */
function shop(who: string): readonly string[] {
  return [
    "set timezone = 'UTC'",
    'create schema shop',
    `create table user_events as select p * 100 + e as id, 'u' || p as user_id, 's' || ((p + e) % 6) as event_site, if(e % 2 = 0, 'view', 'click') as kind,
      (p * 7 + e * 3) % 11 as n, timestamp '2026-01-01' + to_days((e % 5)::integer) as at from range(${PEOPLE}) t(p), range(6) u(e) where e < 3 + p % 4 and ${who}`,
    `create table profiles as select 'u' || p as user_id, 'Name ' || p as name, ['DE', 'FR', 'US'][1 + p % 3] as country, if(p % 5 = 0, null, make_date(1950 + p, 1, 1)) as born,
      ['t' || p % 4, 't' || p % 2] as tags, json_object('a', p % 4, 'b', [p % 3, 2]) as more from range(${PEOPLE}) t(p) where ${who}`,
    `create table visits as select 'u' || p as user_id, make_date(2025 + y, 1 + p % 9, 1) as day, (p + y) % 6 as n from range(${PEOPLE}) t(p), range(2) u(y) where ${who}`,
    `create table shop."Tabelle ä" as select p::integer as nummer, p * 2 as "Wert" from range(${PEOPLE}) t(p) where ${who}`,
    "create table sites as select 's' || i as site, 'owner ' || i % 2 as owner, i as rank from range(6) t(i)",
    `create table mails as select case p % 3 when 0 then ' U' || p || '@Example.org' || chr(160) when 1 then 'u' || p || '@example.org' else 'ü' || p || '@example.org' end as address from range(${PEOPLE}) t(p) where ${who}`,
  ];
}

beforeAll(async () => {
  const yes = Array.from({ length: PEOPLE }, (_, person) => person).filter(agreed);
  const no = Array.from({ length: PEOPLE }, (_, person) => person).filter((person) => !agreed(person));
  for (const statement of shop('true')) await full.run(statement);
  for (const statement of shop('p % 3 <> 1')) await truth.run(statement);
  await full.run('create macro everybody() as (select count(*) from user_events)');
  await full.run('create macro all_events() as table select * from user_events');
  const mail = (person: number) => `${['u', 'u', 'ü'][person % 3]}${person}@example.org`;
  const names = { user_id: (n: number) => `u${n}`, number: String, email: mail };
  // As DuckDB takes paths, one that has a column and is the pattern of others.
  const partition = join(folder, 'identity=nobody');
  mkdirSync(partition);
  for (const lists of FORMS)
    for (const [identityType, name] of Object.entries(names)) {
      const file = join(partition, `${lists}'s [1]? *${identityType}.parquet`);
      const identities = (lists === 'granted' ? yes : no).map(name);
      const expiresAt = new Date(Date.now() + 3_600_000);
      await writeSignedExport({ file, purpose: 'analytics', identityType, lists, identities, expiresAt });
      const consent = await openConsentExport({
        file,
        identityType,
        organization: 'acme',
        purpose: 'analytics',
        publicKeys: [PUBLIC_KEY],
      });
      const named = {
        user_id: ['user_events', 'main.profiles', 'visits'].map((table) => ({
          table,
          column: 'user_id',
          consent,
        })),
        number: [{ table: 'shop.Tabelle ä', column: 'nummer', consent }],
        email: [{ table: 'mails', column: 'address', consent }],
      }[identityType];
      tables[lists].push(...(named ?? []));
    }
  for (const lists of FORMS) tables[lists].push({ table: 'sites', open: true });
});
afterAll(() => {
  for (const one of [full, truth, instance, truthInstance]) one.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

/** In the words of DuckDB. */
const ours = (sql: string) =>
  sql
    .replaceAll('PUBLIC . Profiles', 'MAIN . Profiles')
    .replaceAll('U&"prof\\0069les"', '"PROFILES"')
    .replaceAll('"public".', '"main".')
    .replaceAll('public.', 'main.');

async function rowsOf(connection: Connection, sql: string): Promise<readonly string[]> {
  const rows = (await connection.runAndReadAll(sql)).getRowsJson();
  return rows.map((row) => JSON.stringify(row)).sort();
}

const narrowed = async (sql: string, lists: (typeof FORMS)[number] = 'granted') =>
  (await enforce(sql, { engine: 'duckdb', connection: full, purpose: 'analytics', tables: tables[lists] }))
    .sql;

const OF_DUCKDB = [
  'from user_events',
  'from user_events select user_id, n where n > 3 order by all',
  'table profiles',
  'select event_site, histogram(n) from user_events group by event_site',
  'select e.* exclude (kind) from user_events e semi join profiles using (user_id)',
  'select count(*) from user_events anti join profiles p on p.user_id = user_events.user_id and p.country = $$DE$$',
  'select user_id, n from user_events qualify row_number() over (partition by user_id order by id) = 1',
  'select event_site, count(*) from user_events group by all',
  'select columns(lambda c: c like $$user%$$) from user_events',
  'select list_transform(list(n order by id), lambda x: x + 1) from user_events group by event_site',
  'select * from shop."Tabelle ä" as "ü 😀" where "ü 😀"."Wert" > 4',
  'select "Wert" from Shop."tabelle ä"',
  'select * from mails',
  'select e.id, v.day from user_events e asof join visits v on v.user_id = e.user_id and e.at >= v.day',
  'with user_events as (select * from profiles) select count(*) from user_events',
  'with a as (with user_events as (select 1 as one) select * from user_events) select one, (select count(*) from user_events) from a',
  'with recursive r(i) as (select 0 union all select i + 1 from r where i < 3) select i, (select count(*) from visits where n = i) from r',
  'with user_events as (select * from user_events where n > 3) select count(*) from user_events',
  'with a as (select count(*) as c from user_events), user_events as (select 1 as n) select c from a',
  'with user_events as (select 1 as n) select count(*) from main.user_events',
  'with USER_EVENTS as (select user_id from profiles) select count(*) from user_events',
  'with recursive user_events as (select * from user_events) select count(*) from user_events',
  'with recursive user_events as (select n from user_events union all select n + 1 from user_events where n < 4) select count(*) from user_events',
  'with a as (select * from user_events), b as (with user_events as (select 5 as n) from user_events) select (select count(*) from a), (select count(*) from b), (select count(*) from user_events)',
  'select count(*) from user_events positional join (select 1)',
  'select * from user_events /* from profiles */ -- from sites',
  "select '/* ' || user_id from\n/* x */ main /* y */ . user_events -- ' end",
  'select count(*) from user_events as profiles, profiles as user_events',
  'select tag, count(*) from (select unnest(tags) as tag from profiles) group by 1',
  "select * replace ((select string_agg(user_id, ',' order by id) from user_events) as owner) from sites",
  'select columns(* replace ((select count(*) from user_events) as rank)) from sites',
  'select sites.* replace ((select max(user_id) from profiles) as owner) from sites',
  'select s.site, (from user_events e select count(*) where e.event_site = s.site) from sites s',
  'select user_id from user_events union by name select country, user_id from profiles',
  'select * from -- fact table\n user_events',
  'select * from /* fact table */ sites, /* a /* nested */ table */ profiles',
  'from -- it\'s a "table\n user_events',
  "select 'a -- b', e'\\' table --', $t$ -- $$ table $t$, u$a$.n from user_events u$a$, sites",
  'table -- all of them\n profiles',
  'select count(*) from (table /* of people */ profiles), (TABLE\tvisits)',
  'select profiles.* exclude (main.profiles.born) from main.profiles',
  'select site from sites where sites.rowid in (select rank from user_events e where e.n = rank)',
];

it('gives what it would give if the rows of those who refused were not there', async () => {
  let run = 0;
  let different = 0;
  for (const sql of [...STATEMENTS.map(ours), ...OF_DUCKDB]) {
    const expected = await rowsOf(truth, sql).catch(() => undefined);
    // What DuckDB does not know, or is written for views of the other shop.
    if (expected === undefined) {
      expect(OF_DUCKDB).not.toContain(sql);
      continue;
    }
    for (const lists of FORMS) {
      const text = await narrowed(sql, lists).catch((error: unknown) => {
        // Refusing is no wrong answer; that few are refused is looked at below.
        if (error instanceof EnforceError && !OF_DUCKDB.includes(sql)) return undefined;
        throw new Error(sql, { cause: error });
      });
      if (text === undefined) continue;
      expect(await rowsOf(full, text), sql).toEqual(expected);
      run += 1;
    }
    if (JSON.stringify(await rowsOf(full, sql)) !== JSON.stringify(expected)) different += 1;
  }
  expect(run).toBeGreaterThan(300);
  expect(different).toBeGreaterThan(run / 3);
});

it.each([
  ['select sites.site from sites', '"main"."sites"'],
  ['table Sites', 'select * from "main"."sites"'],
  ['select s.site from main.sites s join sites using (site)', 'main.sites s join "main"."sites" using'],
])('reads no other table of the same name: %s', async (sql, part) => {
  const text = await narrowed(sql);
  expect(text).toContain(part);
  const other = await instance.connect();
  await other.run('create table if not exists shop.sites as select 1 as other');
  await other.run('use shop');
  expect(await rowsOf(other, text)).toHaveLength(6);
  other.closeSync();
});

it('sees the same in whatever statement the grammar makes', async () => {
  const choices = fc.array(fc.nat({ max: 10_000 }), { minLength: 20, maxLength: 60 });
  const summaryOf = (sql: string) =>
    `select count(*), count(distinct u), sum(n), min(u), max(u) from (${sql}) as q`;
  let run = 0;
  await fc.assert(
    fc.asyncProperty(choices, async (made) => {
      const sql = summaryOf(ours(randomQuery(made)));
      const expected = await rowsOf(truth, sql).catch(() => undefined);
      fc.pre(expected !== undefined);
      const text = await narrowed(sql).catch((error: unknown) => {
        if (error instanceof EnforceError) return undefined;
        throw error;
      });
      fc.pre(text !== undefined);
      expect(await rowsOf(full, String(text))).toEqual(expected);
      run += 1;
    }),
    { numRuns: 60, endOnFailure: true },
  );
  expect(run).toBe(60);
});

it('compares people letter by letter, and by no type that writes one of them in several ways', async () => {
  await full.run(
    `create table odd as select 'U' || p as capital, p::double as real, p::decimal(9, 2) as fraction, uuid() as id, p as n from range(${PEOPLE}) t(p)`,
  );
  await full.run('alter table odd alter capital type varchar collate nocase');
  const [events] = tables.granted;
  const [refusing] = tables.denied;
  const consentOf = (table: DuckDbTable | undefined) =>
    table !== undefined && 'consent' in table ? table.consent : undefined;
  const by = async (column: string, table: DuckDbTable | undefined) => {
    const consent = consentOf(table);
    if (consent === undefined) throw new Error('There is no list.');
    const odd = [{ table: 'odd', column, consent }];
    const { sql } = await enforce('select count(*) from odd', {
      engine: 'duckdb',
      connection: full,
      purpose: 'analytics',
      tables: odd,
    });
    return rowsOf(full, sql);
  };
  expect(await by('capital', events)).toEqual(['["0"]']);
  expect(await by('id', events)).toEqual(['["0"]']);
  for (const column of ['real', 'fraction', 'id'])
    await expect(by(column, refusing), column).rejects.toThrow(/can be written in several ways/);
  await expect(by('gone', events)).rejects.toThrow(/has no column "gone"/);
  await full.run('drop table odd');
});

describe('refuses', () => {
  it.each([
    ['select 1; select 2', '2 statements'],
    [' ', 'no statement'],
    ['-- select 1', 'no statement'],
    ['selec 1', 'no SQL of DuckDB'],
    ['select count(*) from user_events\0; select 1', 'NUL'],
    [`select '${'x'.repeat(1_000_001)}'`, 'are read'],
    ['select * from unheard_of', '"unheard_of" is not known'],
    ['select * from other.user_events', 'is not known'],
    ['select * from memory.main.user_events', 'with its database'],
    ["select * from 'events.parquet'", 'is not known'],
    ["select * from read_csv('events.csv')", 'read_csv'],
    ["select * from read_parquet('events.parquet')", 'read_parquet'],
    ["select * from read_text('/etc/passwd')", 'read_text'],
    ["select * replace ((select content from read_text('/etc/passwd')) as owner) from sites", 'read_text'],
    ['select stats(user_id) from user_events', 'stats'],
    ["select json_serialize_plan('select 1 from user_events')", 'json_serialize_plan'],
    ['select enum_range(null::event_kind) from sites', 'enum_range'],
    ["select * from glob('*')", 'glob'],
    ["select * from query('select * from user_events')", 'query'],
    ["select * from query_table('user_events')", 'query_table'],
    ['select * from duckdb_tables()', 'duckdb_tables'],
    ["select * from pragma_table_info('user_events')", 'pragma_table_info'],
    ['select everybody()', 'macro of your own'],
    ['select * from all_events()', 'macro of your own'],
    ['select * from information_schema.tables', 'is not known'],
    ['select * from sqlite_master', 'is not known'],
    ["select current_setting('threads')", 'current_setting'],
    ["select getenv('HOME')", 'getenv'],
    ['pivot user_events on event_site using count(*)', 'Only a `select`'],
    ["select * from user_events pivot (sum(n) for kind in ('view'))", 'PIVOT'],
    ['unpivot profiles on name into name n value v', ''],
    ['describe user_events', 'SHOW REF'],
    ['summarize user_events', 'SHOW REF'],
    ['show tables', 'SHOW REF'],
    ['from (describe user_events)', 'SHOW REF'],
    ["copy user_events to 'x.csv'", 'Only a `select`'],
    ['create table made as from user_events', 'Only a `select`'],
    ['insert into sites from user_events', 'Only a `select`'],
    ["attach 'x.db'", 'Only a `select`'],
    ['install httpfs', 'Only a `select`'],
    ['set threads = 1', 'Only a `select`'],
    ['pragma version', ''],
    ['call duckdb_tables()', ''],
    ['explain from user_events', 'Only a `select`'],
    ['prepare p as from user_events', 'Only a `select`'],
    ['select * from user_events tablesample 10%', 'TABLESAMPLE'],
    ['select * from user_events at (version => 1)', 'at another time'],
    ["select sniff_csv('x')", ''],
    ['select site from sites where rowid in (select rowid from user_events where n = 3)', '"rowid"'],
    ['select site from sites where exists (select 1 from user_events where n = "RowId")', '"rowid"'],
    [
      'select site from sites profiles where exists (select 1 from profiles where profiles.rowid = 1)',
      'profiles.rowid',
    ],
    ['select e.ROWID from user_events e', 'e.rowid'],
    ['select count(*) from (sites a join user_events u on true) join sites b using (rowid)', '"rowid"'],
    ['select main.user_events.n from main.user_events', 'Write user_events.n, or give the table an alias'],
    ['select count(*) from user_events where Main.User_Events.n > 3', 'Write User_Events.n'],
    ['select memory.main.user_events.n from main.user_events', 'user_events.n'],
    ['select shop."Tabelle ä"."Wert" from shop."Tabelle ä"', 'Write "Tabelle ä".Wert'],
  ])('%s', async (sql, words) => {
    await expect(narrowed(sql)).rejects.toThrow(
      expect.objectContaining({
        name: 'EnforceError',
        code: 'SQL_REFUSED',
        message: expect.stringContaining(words),
      }),
    );
  });
});

it.each([
  ['brackets', `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
  ['operators', `select ${'1 + '.repeat(20_000)}1`],
])('refuses by name a statement that is nested too deeply, in %s', async (_, sql) => {
  await expect(narrowed(sql)).rejects.toThrow(expect.objectContaining({ code: 'SQL_REFUSED' }));
  expect(await narrowed('from main.sites')).toBe('from main.sites');
});

it('leaves row numbers alone where nothing of people is read, or where they are a column', async () => {
  const sql = 'select rowid, main.sites.site from main.sites';
  expect(await narrowed(sql)).toBe(sql);
  expect(await narrowed('select sites.rowid from main.sites, user_events')).toContain('semi join');
  await full.run('create table numbered as select user_id, id as rowid from user_events');
  const [events] = tables.granted;
  if (events === undefined || !('consent' in events)) throw new Error('There is no list.');
  const named = [{ ...events, table: 'numbered' }];
  const rows = async (text: string) => {
    const { sql } = await enforce(text, {
      engine: 'duckdb',
      connection: full,
      purpose: 'analytics',
      tables: named,
    });
    return rowsOf(full, sql);
  };
  expect(await rows('select rowid from numbered')).toEqual(await rowsOf(truth, 'select id from user_events'));
  expect(await rows('select x.rowid from numbered x')).toEqual(
    await rowsOf(truth, 'select id from user_events'),
  );
  await full.run('drop table numbered');
});

it('narrows half a megabyte of SQL, each of thousands of names in it', async () => {
  const one =
    '(select count(*) from /* of ü */ user_events where kind is not null and n is not null and id is not null)';
  const text = await narrowed(`select ${Array.from({ length: 5_000 }, () => one).join(',')}`);
  expect(text.split('semi join')).toHaveLength(5_001);
});

it('says which tables were narrowed, how, and until when', async () => {
  const asked = { engine: 'duckdb', connection: full, purpose: 'analytics' } as const;
  const said = await enforce('from user_events e, sites', { ...asked, tables: tables.granted });
  expect(said.relations).toEqual([
    { schema: 'main', name: 'user_events', form: 'semi-join', why: expect.stringContaining('needs consent') },
  ]);
  expect(said.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  const others = await enforce('from user_events e, sites', { ...asked, tables: tables.denied });
  expect(others.relations[0]?.form).toBe('anti-join');
  expect(await enforce('from main.sites', { ...asked, tables: tables.denied })).toEqual({
    sql: 'from main.sites',
    purpose: 'analytics',
    relations: [],
    expiresAt: undefined,
  });
});

it('narrows nothing by an export that is of another purpose, or has expired', async () => {
  const file = join(folder, 'short.parquet');
  const expiresAt = new Date(Date.now() + 60_000);
  await writeSignedExport({
    file,
    purpose: 'analytics',
    identityType: 'user_id',
    lists: 'denied',
    identities: ['u1'],
    expiresAt,
  });
  let now = new Date();
  const options = {
    file,
    organization: 'acme',
    purpose: 'analytics',
    identityType: 'user_id',
    publicKeys: [PUBLIC_KEY],
  };
  const consent = await openConsentExport({ ...options, now: () => now });
  const asked = {
    engine: 'duckdb',
    connection: full,
    tables: [{ table: 'user_events', column: 'user_id', consent }],
  } as const;
  expect((await enforce('from user_events', { ...asked, purpose: 'analytics' })).sql).toContain('anti join');
  await expect(enforce('from user_events', { ...asked, purpose: 'advertising' })).rejects.toThrow(
    'for the purpose',
  );
  now = expiresAt;
  await expect(enforce('from user_events', { ...asked, purpose: 'analytics' })).rejects.toBeInstanceOf(
    ConsentExportError,
  );
  writeFileSync(file, 'other');
  await expect(openConsentExport(options)).rejects.toBeInstanceOf(ConsentExportError);
});

it.each(FORMS)('finds people however letters are composed, by a list of who is %s', async (lists) => {
  const file = join(folder, `${lists} in letters.parquet`);
  const said = {
    file,
    purpose: 'analytics',
    identityType: 'user_id',
    lists,
    identities: ['zo\u00eb', '\u1e69'],
    expiresAt: new Date(Date.now() + 60_000),
  };
  await writeSignedExport(said);
  const consent = await openConsentExport({
    ...said,
    organization: 'acme',
    publicKeys: [PUBLIC_KEY],
  });
  const rows = ['zo\u00eb', 'zoe\u0308', 's\u0307\u0323', 'ann\u00e9', 'zoe'];
  await full.run(
    `create or replace table written as select * from (values ${rows.map((row, id) => `(${id}, '${row}')`).join(', ')}, (9, null)) as t(id, name)`,
  );
  const options = { engine: 'duckdb', connection: full, purpose: 'analytics' } as const;
  const tables = [{ table: 'written', column: 'name', consent }];
  const { sql } = await enforce('select id from written', { ...options, tables });
  const ids = lists === 'granted' ? [0, 1, 2] : [3, 4, 9];
  expect(await rowsOf(full, sql)).toEqual(ids.map((id) => `[${id}]`));
});

it('leaves out an address with letters that fold otherwise in Unicode, and finds all others', async () => {
  const file = join(folder, 'letters.parquet');
  const refused = [
    'änne@example.org',
    'i̇@example.org',
    'οδος@example.org',
    'женя@example.org',
    'ada@example.org',
  ];
  const expiresAt = new Date(Date.now() + 60_000);
  await writeSignedExport({
    file,
    purpose: 'analytics',
    identityType: 'email',
    lists: 'denied',
    identities: refused,
    expiresAt,
  });
  const consent = await openConsentExport({
    file,
    organization: 'acme',
    purpose: 'analytics',
    identityType: 'email',
    publicKeys: [PUBLIC_KEY],
  });
  await full.run('create or replace table letters (address varchar)');
  for (const one of [
    'ÄNNE@example.org',
    'A\u0308nne@example.org',
    'İ@example.org',
    'ΟΔΟΣ@example.org',
    '\u3000ЖЕНЯ@example.org\t',
    '\ufeffAda@Example.org',
    'bob@example.org',
  ])
    await full.run('insert into letters values ($1)', [one]);
  await full.run('insert into letters values (null)');
  const { sql } = await enforce('from letters', {
    engine: 'duckdb',
    connection: full,
    purpose: 'analytics',
    tables: [{ table: 'letters', column: 'address', consent }],
  });
  expect(await rowsOf(full, sql)).toEqual(['["bob@example.org"]', '[null]']);
});
