import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { createCatalog, enforceSql, loadParser, loadSnapshot } from './index.ts';

const SCHEMA = `
drop schema if exists shop cascade;
create schema shop;
set search_path = shop;
create table people (id int, name text);
insert into people values (1, 'Ann'), (2, 'Bob');
create type mood as enum ('glad', 'sad');
create table sites (site text, feels mood);
insert into sites values ('a', 'glad');
create function peek(mood) returns text language sql stable as 'select count(*)::text from shop.people';
create function guess(text) returns mood language sql stable as $$ select case when count(*) > 1 then 'sad' else 'glad' end::shop.mood from shop.people $$;
create function same(mood, text) returns boolean language sql stable as 'select count(*) > 1 from shop.people';
create domain feeling as mood;
create type holder as (m mood);
create domain short as text check (length(value) < 10);`;

let database: TestDatabase;
beforeAll(async () => {
  await loadParser();
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(() => run(SCHEMA));

const run = (statements: string) =>
  database.db.connection().execute(async (connection) => {
    await sql.raw(statements).execute(connection);
    await sql.raw('reset search_path').execute(connection);
  });

async function enforced(statement: string, functions: readonly string[] = []): Promise<string> {
  const snapshot = await loadSnapshot(database.pool);
  const catalog = createCatalog(
    { ...snapshot, searchPath: ['shop'] },
    {
      narrowed: ({ name }) => (name === 'people' ? (row) => ` where ${row}.id = 1` : undefined),
      open: ({ name }) => name === 'sites',
      functions: functions.map((name) => ({ schema: 'shop', name })),
    },
  );
  return enforceSql(statement, catalog).sql;
}

describe('casts that run code', () => {
  it('are what would otherwise count everybody', async () => {
    await run('create cast (shop.mood as text) with function shop.peek(shop.mood)');
    const { rows } = await database.pool.query('select feels::text as told from shop.sites');
    expect(rows).toEqual([{ told: '2' }]);
  });

  it('are refused where the statement casts, to a type of PostgreSQL too', async () => {
    await run('create cast (shop.mood as text) with function shop.peek(shop.mood)');
    for (const type of ['text', 'pg_catalog.text', 'text[]', '_text', 'shop.short'])
      await expect(enforced(`select feels::${type} from sites`)).rejects.toMatchObject({
        code: 'SQL_REFUSED',
        message: expect.stringMatching(/for a cast to it/),
      });
    await expect(enforced('select feels::varchar, 1::int from sites')).resolves.toBeTypeOf('string');
  });

  it('are refused inside arrays, domains and rows', async () => {
    await run('create cast (text as shop.mood) with function shop.guess(text)');
    for (const value of ['site::mood', 'array[site]::_mood', 'site::feeling', 'row(site)::holder'])
      await expect(enforced(`select ${value} from sites`)).rejects.toThrow(
        /shop\.guess.*consent.targets.*functions/,
      );
  });

  it('are refused in every statement where PostgreSQL makes them unasked', async () => {
    for (const context of ['implicit', 'assignment']) {
      await run(SCHEMA);
      await run(`create cast (shop.mood as text) with function shop.peek(shop.mood) as ${context}`);
      await expect(enforced('select length(feels) from sites')).rejects.toThrow(
        /the cast from shop\.mood to text.*shop\.peek/,
      );
    }
  });

  it('are made where their function is declared to read no table', async () => {
    await run('create cast (shop.mood as text) with function shop.peek(shop.mood) as implicit');
    await expect(enforced('select feels::text from sites', ['peek'])).resolves.toBeTypeOf('string');
    await expect(enforced('select feels::text from sites', ['guess'])).rejects.toThrow(/shop\.peek/);
  });
});

describe('what stands behind a value', () => {
  const OWN = `
    create function shop.told(text) returns bigint language sql stable as 'select count(*) from shop.people';
    create function shop.owned(shop.sites, more text default '') returns bigint language sql stable as 'select count(*) from shop.people';
    create function shop.pair(text, text) returns bigint language sql stable as 'select count(*) from shop.people'`;

  it('can be a function that counts everybody', async () => {
    await run(OWN);
    const { rows } = await database.pool
      .query('set search_path = shop; select (site).told, s.owned from sites s; reset search_path')
      .then((results) => (results as unknown as { rows: unknown[] }[])[1] ?? { rows: [] });
    expect(rows).toEqual([{ told: 2, owned: 2 }]);
  });

  it('is refused where it is a function that may not be called', async () => {
    await run(OWN);
    for (const [statement, name] of [
      ['select (site).told from sites', 'told'],
      ['select s.owned from sites s', 'owned'],
      ['select (s).owned from sites s', 'owned'],
      ['select shop.sites.owned from shop.sites', 'owned'],
      ['select (s.feels::text).told from sites s', 'told'],
      ['select site from sites s order by s.owned', 'owned'],
      [`select ('select to_tsvector(name) from shop.people'::text).ts_stat`, 'ts_stat'],
      [`select ('/etc/hostname'::text).pg_read_file`, 'pg_read_file'],
    ] as const)
      await expect(enforced(statement), statement).rejects.toMatchObject({
        code: 'SQL_REFUSED',
        message: expect.stringContaining(`"${name}" may not stand behind`),
      });
  });

  it('is read where it is a column, or a function that may be called', async () => {
    await run(OWN);
    for (const statement of [
      'select s.site, (s).feels from sites s',
      'select (site).upper, s.pair from sites s',
    ])
      await expect(enforced(statement)).resolves.toBeTypeOf('string');
    await expect(enforced('select s.owned from sites s', ['owned'])).resolves.toBeTypeOf('string');
  });
});

it('refuses every statement where a cast to JSON runs code, which to_json makes unasked', async () => {
  await run(`
    create function shop.as_json(shop.mood) returns json language sql stable as 'select to_json(count(*)) from shop.people';
    create cast (shop.mood as json) with function shop.as_json(shop.mood)`);
  const { rows } = await database.pool.query('select to_json(feels) as told from shop.sites');
  expect(rows).toEqual([{ told: 2 }]);
  await expect(enforced('select to_json(feels) from sites')).rejects.toThrow(
    /the cast from shop\.mood to json.*shop\.as_json/,
  );
});

it('reads nothing of a database that ends strings elsewhere', async () => {
  const pool = {
    connect: async () => {
      const client = await database.pool.connect();
      await client.query('set standard_conforming_strings = off');
      const release = client.release.bind(client);
      client.release = () => release(true);
      return client;
    },
  } as unknown as typeof database.pool;
  await expect(loadSnapshot(pool)).rejects.toMatchObject({
    code: 'SQL_REFUSED',
    message: expect.stringContaining('standard_conforming_strings'),
  });
});

describe('code that runs when rows are written', () => {
  const COUNTING = `
    create function shop.counted() returns bigint language sql stable as 'select count(*) from shop.people';
    create function shop.noted() returns trigger language plpgsql as 'begin new.site := (select count(*) from shop.people); return new; end';
    create function shop.checked(text) returns boolean language sql immutable as 'select count(*) > 0 from shop.people';`;

  it('can count everybody', async () => {
    await run(`${COUNTING} alter table shop.sites add n bigint default shop.counted()`);
    const { rows } = await database.pool.query("insert into shop.sites (site) values ('b') returning n");
    expect(rows).toEqual([{ n: 2 }]);
  });

  it.each([
    ['a default', 'alter table shop.sites add n bigint default shop.counted()', 'counted'],
    [
      'a trigger',
      'create trigger t before insert on shop.sites for each row execute function shop.noted()',
      'noted',
    ],
    ['a check', 'alter table shop.sites add check (shop.checked(site))', 'checked'],
    ['an index', 'create index on shop.sites ((shop.checked(site)))', 'checked'],
    [
      'a trigger of a part',
      'create table shop.sites_1 () inherits (shop.sites); create trigger t before insert on shop.sites_1 for each row execute function shop.noted()',
      'noted',
    ],
  ])('is refused unless it is declared to read no table: %s', async (_, made, name) => {
    await run(`${COUNTING} ${made}`);
    for (const statement of [
      "insert into sites (site) values ('b') returning *",
      "update sites set site = 'b'",
      'delete from sites',
    ]) {
      await expect(enforced(statement)).rejects.toMatchObject({
        code: 'SQL_REFUSED',
        message: expect.stringMatching(new RegExp(`written to "shop.sites".*shop\\.${name}`)),
      });
      await expect(enforced(statement, [name])).resolves.toBeTypeOf('string');
    }
    await expect(enforced('select site from sites')).resolves.toBeTypeOf('string');
  });

  it('is refused where it decides about the partition', async () => {
    await run(`${COUNTING} drop table shop.sites; create table shop.sites (site text, feels shop.mood) partition by list ((shop.checked(site)));
      create table shop.sites_1 partition of shop.sites default`);
    await expect(enforced("insert into sites (site) values ('b') returning tableoid")).rejects.toThrow(
      /the key of the partitions of it.*shop\.checked/,
    );
  });

  it('is refused where it is a rule', async () => {
    await run('create rule r as on insert to shop.sites do also select * from shop.people');
    await expect(enforced("insert into sites (site) values ('b')")).rejects.toThrow(/it has rules/);
  });
});

describe('rows that change with those of an open table', () => {
  const KEYED = 'alter table shop.sites add primary key (site);';
  const CHANGES = [
    "update sites set site = 'b'",
    'delete from sites',
    `insert into sites values ('a') on conflict (site) do update set site = 'b'`,
  ];

  it.each(['on delete cascade', 'on delete set null', 'on update cascade', 'on update set default'])(
    'are not those of people: %s',
    async (action) => {
      await run(`${KEYED} alter table shop.people add site text default 'a' references shop.sites ${action}`);
      for (const statement of CHANGES)
        await expect(enforced(statement), statement).rejects.toThrow(
          /written to "shop\.sites": shop\.people, of which rows change with its rows, is not declared/,
        );
      await expect(enforced("insert into sites values ('b')")).resolves.toBeTypeOf('string');
    },
  );

  it('are not those of people, whatever stands in between', async () => {
    await run(`${KEYED} create table shop.sites_2 (site text primary key references shop.sites on delete cascade);
      alter table shop.people add site text references shop.sites_2 on delete cascade`);
    for (const statement of CHANGES)
      await expect(enforced(statement)).rejects.toThrow(/of which rows change with its rows/);
  });

  it('may change where they are open, too, and no code runs for it', async () => {
    await run(
      `${KEYED} create table shop.visits (site text references shop.sites on delete cascade) inherits (shop.sites)`,
    );
    for (const statement of CHANGES) await expect(enforced(statement)).resolves.toBeTypeOf('string');
    await run(`create function shop.noted() returns trigger language plpgsql as 'begin return old; end';
      create trigger t before delete on shop.visits for each row execute function shop.noted()`);
    for (const statement of CHANGES)
      await expect(enforced(statement)).rejects.toThrow(/a trigger of.*shop\.noted/);
  });

  it('are left alone where they are only looked at', async () => {
    await run(`${KEYED} alter table shop.people add site text references shop.sites`);
    for (const statement of CHANGES) await expect(enforced(statement)).resolves.toBeTypeOf('string');
  });
});

it('lets nobody write to people through a view that is declared open', async () => {
  await run(
    'alter table shop.sites rename to places; create view shop.sites as select name as site from shop.people',
  );
  for (const statement of [
    "update sites set site = 'b'",
    'delete from sites',
    "insert into sites values ('b')",
  ])
    await expect(enforced(statement)).rejects.toThrow(/written to "shop\.sites": it is a view/);
});

describe('values that run code', () => {
  const CHECKED = `create function shop.fits(text) returns boolean language sql immutable as 'select count(*) > 0 from shop.people';`;

  it.each([
    ['a check of values', `${CHECKED} create domain shop.fitting as text check (shop.fits(value))`, 'fits'],
    [
      'a check by an operator',
      `${CHECKED} create operator shop.@@@ (rightarg = text, function = shop.fits); create domain shop.fitting as text check (operator(shop.@@@) value)`,
      'fits',
    ],
    [
      'a default',
      `create function shop.first() returns text language sql stable as 'select min(name) from shop.people'; create domain shop.fitting as text default shop.first()`,
      'first',
    ],
  ])('are refused in every statement: %s', async (_, made, name) => {
    await run(made);
    await expect(enforced('select site from sites')).rejects.toThrow(
      new RegExp(`shop\\.fitting.*shop\\.${name}`),
    );
    await expect(enforced('select site from sites', [name])).resolves.toBeTypeOf('string');
  });

  it('are refused inside ranges, and where they are read from a text', async () => {
    await run('create type shop.span as range (subtype = shop.short)');
    for (const value of ["'[a,b]'::span", "'{[a,b]}'::span_multirange", "array['[a,b]']::span[]"])
      await expect(enforced(`select ${value} from sites`), value).rejects.toThrow(/its values are checked/);
    for (const call of [
      "array_in('{x}', 1, -1)",
      "domain_in('x', 1, -1)",
      "record_in('(a)', 1, -1)",
      "range_in('[a,b]', 1, -1)",
    ])
      await expect(enforced(`select ${call} is null from sites`), call).rejects.toThrow(/not known to leave/);
  });
});

it('refuses an operator that PostgreSQL may turn round into one that runs code', async () => {
  await run(`set search_path = shop;
    create function alike(text, text) returns boolean language sql immutable as 'select $1 = $2';
    create function unlike(text, text) returns boolean language sql stable as 'select count(*) > 1 from shop.people';
    create operator !== (leftarg = text, rightarg = text, function = unlike);
    create operator === (leftarg = text, rightarg = text, function = alike, negator = !==)`);
  const statement = "select count(*) from sites where not (site operator(shop.===) 'a')";
  await expect(enforced(statement, ['alike'])).rejects.toThrow(/shop\.unlike/);
  await expect(enforced(statement, ['alike', 'unlike'])).resolves.toBeTypeOf('string');
});

it('takes a column for one whose name a function of PostgreSQL has that nobody can call', async () => {
  await run('alter table shop.sites add system text, add bernoulli text');
  await expect(enforced('select s.system, (s).bernoulli from sites s')).resolves.toBeTypeOf('string');
});

describe('comparisons that run code', () => {
  it('are refused in every statement, because they are made without their operator too', async () => {
    await run('create operator shop.= (leftarg = shop.mood, rightarg = text, function = shop.same)');
    for (const condition of ['site = site', `case feels when 'x'::varchar then true end`])
      await expect(enforced(`select ${condition} from sites`)).rejects.toThrow(
        /comparing shop\.mood by =.*shop\.same/,
      );
    await expect(enforced('select site = site from sites', ['same'])).resolves.toBeTypeOf('string');
  });

  it('are refused where values are sorted by such a function', async () => {
    await run(`
      set search_path = shop;
      create type pair as (a int, b int);
      create function pair_less(pair, pair) returns boolean language sql stable as 'select ($1).a < ($2).a';
      create function pair_order(pair, pair) returns int language sql stable as 'select count(*)::int from shop.people';
      create operator << (leftarg = pair, rightarg = pair, function = pair_less);
      create operator class pair_ops for type pair using btree as operator 1 <<, function 1 pair_order(pair, pair)`);
    await expect(enforced('select site from sites order by site')).rejects.toThrow(
      /sorting and comparing shop\.pair.*pair_order/,
    );
    await expect(enforced('select site from sites', ['pair_order', 'pair_less'])).resolves.toBeTypeOf(
      'string',
    );
  });
});

it('refuses a table without people of which a part has some', async () => {
  await run('drop table shop.people cascade; create table shop.people (id int) inherits (shop.sites)');
  for (const statement of ['select site from sites', "update sites set site = 'x' returning *"])
    await expect(enforced(statement)).rejects.toThrow(/its part shop\.people has rows of people/);
  await expect(enforced('select site from people')).resolves.toBeTypeOf('string');
});

it('refuses a table without people that has a part in common with one that has some', async () => {
  await run('create table shop.both () inherits (shop.sites, shop.people)');
  for (const statement of ['select site from sites', "update sites set site = 'x' returning *"])
    await expect(enforced(statement)).rejects.toThrow(/its part shop\.both has rows of people/);
});

it('refuses nothing where nobody made any', async () => {
  await expect(enforced('select feels::text, site::varchar(3) from sites order by 1')).resolves.toBeTypeOf(
    'string',
  );
});
