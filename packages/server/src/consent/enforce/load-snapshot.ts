import type pg from 'pg';
import type { CatalogSnapshot } from './catalog-snapshot.ts';

/** Reads what statements can name from a PostgreSQL database, all of it from one moment. */
export async function loadSnapshot(pool: Pick<pg.Pool, 'connect'>): Promise<CatalogSnapshot> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const path = await client.query<{ path: string[] }>('select current_schemas(false)::text[] as path');
    // Then definitions of views are told with all schemas.
    await client.query("set local search_path = ''");
    const { rows } = await client.query<{ snapshot: Omit<CatalogSnapshot, 'searchPath'> }>(SNAPSHOT);
    return {
      searchPath: path.rows[0]?.path ?? [],
      ...(rows[0] as { snapshot: Omit<CatalogSnapshot, 'searchPath'> }).snapshot,
    };
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** Languages whose functions can read tables: all but C, in which PostgreSQL itself is written. */
const RUNS_CODE = `(select oid from pg_catalog.pg_language where lanname not in ('c', 'internal'))`;

const SNAPSHOT = `
with recursive own as (
  select oid, nspname from pg_catalog.pg_namespace
  where nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and nspname !~ '^pg_(temp|toast_temp)_'
), ancestors(oid, ancestor) as (
  select inhrelid, inhparent from pg_catalog.pg_inherits
  union
  select ancestors.oid, inhparent from ancestors join pg_catalog.pg_inherits on inhrelid = ancestor
)
select json_build_object(
  'relations', (
    select coalesce(json_agg(json_strip_nulls(json_build_object(
      'schema', own.nspname, 'name', c.relname,
      'kind', case when c.relkind in ('r', 'p', 'f') then 'table' when c.relkind = 'v' then 'view' else 'other' end,
      'partOf', (
        select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', p.relname)), '[]')
        from ancestors join pg_catalog.pg_class p on p.oid = ancestor join pg_catalog.pg_namespace n on n.oid = p.relnamespace
        where ancestors.oid = c.oid),
      'definition', case when c.relkind = 'v' then rtrim(pg_catalog.pg_get_viewdef(c.oid), '; ') end
    )) order by own.nspname, c.relname), '[]')
    from pg_catalog.pg_class c join own on own.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f', 'v', 'm')),
  'builtIn', (
    select json_agg(distinct proname) from pg_catalog.pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and provolatile <> 'v' and prokind <> 'p'),
  'own', json_build_object(
    'functions', (
      select coalesce(json_agg(distinct jsonb_build_object('schema', own.nspname, 'name', proname)), '[]')
      from pg_catalog.pg_proc join own on own.oid = pronamespace),
    'operators', (
      select coalesce(json_agg(json_build_object('schema', own.nspname, 'name', oprname, 'runsCode', prolang in ${RUNS_CODE})), '[]')
      from pg_catalog.pg_operator join own on own.oid = oprnamespace join pg_catalog.pg_proc p on p.oid = oprcode),
    'types', (
      select coalesce(json_agg(json_build_object('schema', own.nspname, 'name', typname, 'runsCode', exists (
        select from pg_catalog.pg_cast join pg_catalog.pg_proc p on p.oid = castfunc
        where casttarget = t.oid and prolang in ${RUNS_CODE}
      ) or exists (
        select from pg_catalog.pg_constraint where contypid = t.oid
      ))), '[]')
      from pg_catalog.pg_type t join own on own.oid = typnamespace where typtype <> 'c' and typname !~ '^_'))
) as snapshot`;
