import type pg from 'pg';
import { createTestDatabase, openPool } from '../database.ts';

/** People who agreed are those whose number leaves no 1 when it is divided by three. */
export const agreed = (person: number): boolean => person % 3 !== 1;

/** Numbered from 0. */
export const PEOPLE = 20;

const SCHEMA = `
create schema consent;
create table consent.agreed (user_id text primary key);
create table user_events (id int primary key, user_id text, event_site text, kind text, n int, at timestamptz not null);
create table profiles (user_id text primary key, name text, country text, born date, tags text[], more jsonb);
create table visits (user_id text, day date not null, n int) partition by range (day);
create table visits_2025 partition of visits for values from ('2025-01-01') to ('2026-01-01');
create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01');
create schema "Ünïcode";
create table "Ünïcode"."Tabelle ä" (user_id text, "Wert" int);
create table sites (site text primary key, owner text, rank int);
create table 💶 (site text);
create table results (site text primary key, n bigint);
create schema shop_b;
create table shop_b.user_events as select i as id, i % 7 as n from generate_series(0, 300) as i;
create table shop_b.sites as select 's' || i as site, i * 2 as rank from generate_series(0, 5) as i;
create view site_views as select event_site as site, user_id, n from user_events where kind = 'view';
create view busy_sites as select v.site, count(*) as views from site_views v join sites s on s.site = v.site group by v.site;
create type mood as enum ('glad', 'sad');
create function mood_of(text) returns mood language sql stable as $f$ select case when count(*) > 3 then 'glad' else 'sad' end::public.mood from public.user_events where user_id = $1 $f$;
create cast (text as mood) with function mood_of(text);
create function rows_like(text, text) returns bigint language sql stable as $f$ select count(*) from public.user_events where user_id like $1 || $2 $f$;
create operator ~~> (leftarg = text, rightarg = text, function = rows_like);
create function own_count() returns bigint language sql stable as 'select count(*) from public.user_events';
insert into sites select 's' || i, 'owner ' || (i % 2), i from generate_series(0, 5) as i;`;

/** Rows of one person. */
function rowsOf(person: number): string {
  const user = `'u${person}'`;
  const events = Array.from({ length: 3 + (person % 4) }, (_, event) => {
    const id = person * 100 + event;
    const kind = event % 2 === 0 ? 'view' : 'click';
    return `(${id}, ${user}, 's${(person + event) % 6}', '${kind}', ${(person * 7 + event * 3) % 11}, '2026-01-0${1 + (event % 5)}T00:00:00Z')`;
  });
  const born = person % 5 === 0 ? 'null' : `'19${50 + person}-01-01'`;
  return `
    insert into user_events values ${events.join(', ')};
    insert into profiles values (${user}, 'Name ${person}', '${['DE', 'FR', 'US'][person % 3]}', ${born},
      array['t${person % 4}', 't${person % 2}'], '{"a": ${person % 4}, "b": [${person % 3}, 2]}');
    insert into visits values (${user}, '2025-0${1 + (person % 9)}-01', ${person % 5}), (${user}, '2026-0${1 + (person % 9)}-01', ${person % 7});
    insert into "Ünïcode"."Tabelle ä" values (${user}, ${person});`;
}

/** A database of a company's own. */
export interface Shop extends AsyncDisposable {
  readonly pool: pg.Pool;
  readonly url: string;
}

/** A shop with everybody's rows, and the same shop without the rows of those who did not agree: what a job has to see. Statements end after so many milliseconds. */
export async function openTwoShops(patience: {
  readonly full: number;
  readonly truth: number;
}): Promise<{ readonly full: Shop; readonly truth: Shop }> {
  const people = Array.from({ length: PEOPLE }, (_, person) => person);
  const yes = people.filter(agreed);
  const consent = `insert into consent.agreed values ${yes.map((person) => `('u${person}')`).join(', ')};`;
  const [full, truth] = [await openShop(patience.full), await openShop(patience.truth)];
  await full.pool.query(SCHEMA + consent + people.map(rowsOf).join(''));
  await truth.pool.query(SCHEMA + consent + yes.map(rowsOf).join(''));
  return { full, truth };
}

async function openShop(patience: number): Promise<Shop> {
  const database = await createTestDatabase();
  const pool = openPool({ connectionString: database.url, statement_timeout: patience });
  return {
    pool,
    url: database.url,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await database.close();
    },
  };
}
