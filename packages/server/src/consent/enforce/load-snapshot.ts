import type pg from 'pg';
import type { CatalogSnapshot } from './catalog-snapshot.ts';
import { refused } from './sql-tree.ts';

/** Reads what statements can name from a PostgreSQL database, all of it from one moment. */
export async function loadSnapshot(pool: Pick<pg.Pool, 'connect'>): Promise<CatalogSnapshot> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const path = await client.query<{ path: string[]; strings: string }>(
      "select current_schemas(false)::text[] as path, current_setting('standard_conforming_strings') as strings",
    );
    if (path.rows[0]?.strings !== 'on')
      throw refused(
        'With `standard_conforming_strings` off this database ends strings elsewhere than where they are read. Switch it on for whoever runs statements.',
      );
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

/** Objects with lower numbers came with PostgreSQL. */
const FIRST_OWN = 16_384;

/** What can be called with one value, because the rest has defaults or may be left out; nobody has a value of PostgreSQL's inside. */
const OF_ONE = `pronargs > 0 and pronargs - pronargdefaults <= 1 and not 'internal'::regtype = any (proargtypes)`;

/** Words of SQL that call a function in versions of PostgreSQL before the one whose grammar statements are read by. */
const NEW_WORDS = `'json', 'json_array', 'json_arrayagg', 'json_exists', 'json_object', 'json_objectagg', 'json_query', 'json_scalar', 'json_serialize', 'json_value', 'merge_action'`;
const VERSION_OF_GRAMMAR = 170_000;

/** What is done to rows that refer to one that changes or goes, beyond looking at them. */
const CHANGES_ROWS = `contype = 'f' and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))`;

const SNAPSHOT = `
with recursive own as (
  select oid, nspname from pg_catalog.pg_namespace
  where nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and nspname !~ '^pg_(temp|toast_temp)_'
), ancestors(oid, ancestor) as (
  select inhrelid, inhparent from pg_catalog.pg_inherits
  union
  select ancestors.oid, inhparent from ancestors join pg_catalog.pg_inherits on inhrelid = ancestor
), code as (
  select p.oid, n.nspname as schema, proname as name
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = pronamespace
  where prolang in ${RUNS_CODE} and p.oid >= ${FIRST_OWN}
), casts as (
  select castsource, casttarget, castcontext, code.schema, code.name from pg_catalog.pg_cast join code on code.oid = castfunc
), made_of(classid, objid, schema, name) as (
  select classid, objid, code.schema, code.name from pg_catalog.pg_depend join code on code.oid = refobjid where refclassid = 'pg_proc'::regclass
  union all
  select classid, objid, code.schema, code.name from pg_catalog.pg_depend join pg_catalog.pg_operator o on o.oid = refobjid join code on code.oid = oprcode
  where refclassid = 'pg_operator'::regclass
), written(oid, what, schema, name) as (
  select adrelid, 'a default', schema, name from pg_catalog.pg_attrdef a join made_of on classid = 'pg_attrdef'::regclass and objid = a.oid
  union all
  select conrelid, 'a check', schema, name from pg_catalog.pg_constraint c join made_of on classid = 'pg_constraint'::regclass and objid = c.oid
  union all
  select indrelid, 'an index', schema, name from pg_catalog.pg_index join made_of on classid = 'pg_class'::regclass and objid = indexrelid
  union all
  select partrelid, 'the key of the partitions', schema, name from pg_catalog.pg_partitioned_table join made_of on classid = 'pg_class'::regclass and objid = partrelid
  union all
  select tgrelid, 'a trigger', code.schema, code.name from pg_catalog.pg_trigger join code on code.oid = tgfoid where not tgisinternal
), parts(oid, part) as (
  select oid, oid from pg_catalog.pg_type
  union
  select parts.oid, inner_type from parts
  join pg_catalog.pg_type t on t.oid = part
  cross join lateral (
    select t.typbasetype where t.typtype = 'd'
    union all select t.typelem where t.typcategory = 'A'
    union all select rngsubtype from pg_catalog.pg_range where t.oid in (rngtypid, rngmultitypid)
    union all select atttypid from pg_catalog.pg_attribute where attrelid = t.typrelid and attnum > 0 and not attisdropped
  ) as of (inner_type)
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
      'whenWritten', (
        select coalesce(json_agg(distinct jsonb_build_object('what', what, 'code', jsonb_build_object('schema', schema, 'name', name))), '[]')
        from written where written.oid = c.oid or written.oid in (select oid from ancestors where ancestor = c.oid)),
      'changesRowsOf', (
        select coalesce(json_agg(distinct jsonb_build_object('schema', n.nspname, 'name', r.relname)), '[]')
        from pg_catalog.pg_constraint f join pg_catalog.pg_class r on r.oid = conrelid join pg_catalog.pg_namespace n on n.oid = r.relnamespace
        where confrelid = c.oid and ${CHANGES_ROWS}),
      'hasRules', exists (select from pg_catalog.pg_rewrite where ev_class = c.oid and ev_type <> '1'),
      'definition', case when c.relkind = 'v' then rtrim(pg_catalog.pg_get_viewdef(c.oid), '; ') end
    )) order by own.nspname, c.relname), '[]')
    from pg_catalog.pg_class c join own on own.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f', 'v', 'm')),
  'builtIn', (
    select json_agg(distinct proname) from pg_catalog.pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and provolatile <> 'v' and prokind <> 'p'),
  'builtInOfOne', (
    select json_agg(distinct proname) from pg_catalog.pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and ${OF_ONE}),
  'own', json_build_object(
    'functions', (
      select coalesce(json_agg(distinct jsonb_build_object('schema', own.nspname, 'name', proname)), '[]')
      from pg_catalog.pg_proc join own on own.oid = pronamespace),
    'functionsOfOne', (
      select coalesce(json_agg(distinct jsonb_build_object('schema', own.nspname, 'name', proname)), '[]')
      from pg_catalog.pg_proc join own on own.oid = pronamespace where ${OF_ONE}),
    'operators', (
      -- Where it is fewer steps, PostgreSQL uses the operator that turns the answer or the values round.
      select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', o.oprname, 'code', (
        select json_agg(json_build_object('schema', code.schema, 'name', code.name))
        from pg_catalog.pg_operator used join code on code.oid = used.oprcode where used.oid in (o.oid, o.oprnegate, o.oprcom)))), '[]')
      from pg_catalog.pg_operator o join pg_catalog.pg_namespace n on n.oid = oprnamespace
      where exists (select from pg_catalog.pg_operator used join code on code.oid = used.oprcode where used.oid in (o.oid, o.oprnegate, o.oprcom))),
    'types', (
      select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', typname, 'code', made.code, 'isChecked', made.checked)), '[]')
      from (
        select parts.oid, bool_or(c.oid is not null) as checked,
          coalesce(json_agg(json_build_object('schema', casts.schema, 'name', casts.name)) filter (where casts.name is not null), '[]') as code
        from parts
        left join casts on casttarget = part
        left join pg_catalog.pg_constraint c on contypid = part
        where casts.name is not null or c.oid is not null
        group by parts.oid
      ) as made
      join pg_catalog.pg_type t on t.oid = made.oid
      join pg_catalog.pg_namespace n on n.oid = typnamespace and (nspname = 'pg_catalog' or n.oid in (select oid from own))),
    'unseen', (
      select coalesce(json_agg(json_build_object('what', what, 'code', json_build_object('schema', schema, 'name', name))), '[]')
      from (
        select 'the cast from ' || castsource::regtype || ' to ' || casttarget::regtype, schema, name from casts
        where castcontext <> 'e' or casttarget in ('json'::regtype, 'jsonb'::regtype)
        union all
        select 'sorting and comparing ' || amproclefttype::regtype, code.schema, code.name
        from pg_catalog.pg_amproc join code on code.oid = amproc
        union all
        select 'comparing ' || amoplefttype::regtype || ' by ' || oprname, code.schema, code.name
        from pg_catalog.pg_amop join pg_catalog.pg_operator o on o.oid = amopopr join code on code.oid = oprcode
        union all
        select 'comparing ' || oprleft::regtype || ' by ' || oprname, code.schema, code.name
        from pg_catalog.pg_operator join code on code.oid = oprcode where oprname in ('=', '<>', '<', '<=', '>', '>=')
        union all
        select 'a check of values of ' || contypid::regtype, schema, name
        from pg_catalog.pg_constraint c join made_of on classid = 'pg_constraint'::regclass and objid = c.oid where contypid <> 0
        union all
        select 'the default of ' || objid::regtype, schema, name from made_of where classid = 'pg_type'::regclass
        union all
        select 'the word ' || code.name || ' of SQL, which this version does not know', code.schema, code.name
        from code where code.name in (${NEW_WORDS}) and current_setting('server_version_num')::integer < ${VERSION_OF_GRAMMAR}
      ) as used (what, schema, name)
))
) as snapshot`;
