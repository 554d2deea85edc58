import { expect, test } from 'vitest';
import { refusedByRedshift } from './refused-by-redshift.ts';

/** Statements that the double has to refuse, or it would show nothing. */
test.each([
  'savepoint a',
  'select 1 from t for update',
  'insert into a (x) select 1 on conflict (x) do nothing',
  'delete from t where x = 1 returning x',
  "select 1 from t where x = any('{1}')",
  'select array[1]',
  "select '{1}'::int[]",
  'select x::text from t',
  'select v from unnest($1::int[]) v',
  'select v from (values (1)) t(v)',
  'select array_agg(x order by x) from t',
  'select count(*) filter (where x > 1) from t',
  'select distinct on (x) x from t',
  'copy t to stdout',
  'select 1 from t, lateral (select 1) u',
  'with d as (delete from t returning 1) select 1 from d',
  'create temporary table a (x int) on commit delete rows',
  'create table a (x int)',
  'truncate t',
  "select set_config('a.b', 'c', true)",
  'set lock_timeout to 1',
  'select jsonb_typeof(x) from t',
  "select has_table_privilege(t.x, 'select') from public.t",
  'select c.relrowsecurity from pg_catalog.pg_policy c',
  'select 1 from t tag',
  'select 1 from a where not exists (select 1 from b where not exists (select 1 from c where a.x = c.x))',
  "select E'\\\\' from pg_tables",
])('a statement that Redshift does not take: %s', (sql) => {
  expect(refusedByRedshift(sql)).not.toEqual([]);
});

test.each([
  'begin',
  'commit',
  'select distinct x from t',
  'insert into a (x) values (1), (2)',
  'delete from t a using u b where a.x = b.x',
  'select 1 from a where not exists (select 1 from b where a.x = b.x and not exists (select 1 from c where b.x = c.x))',
])('a statement that Redshift takes: %s', (sql) => {
  expect(refusedByRedshift(sql)).toEqual([]);
});
