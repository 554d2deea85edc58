import type pg from 'pg';
import { SCHEMA } from './choose-predicate.ts';
import type { ProtectedTable } from './target.ts';

/** Objects as the database shows them, by `<kind> <name>`. */
export type FoundObjects = ReadonlyMap<string, string>;

export function objectKey({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind} ${name}`;
}

/** Reads how the database shows what a target may have. Of roles also which tables of people they can read, by whatever way. */
export async function readObjects(
  client: Pick<pg.ClientBase, 'query'>,
  { key, tables }: { readonly key: string; readonly tables: readonly ProtectedTable[] },
): Promise<FoundObjects> {
  await client.query("set local search_path = ''");
  const { rows: exists } = await client.query<{ there: boolean }>(
    `select to_regclass('${SCHEMA}.purposes') is not null as there`,
  );
  const { rows } = await client.query<{ kind: string; name: string; definition: string }>(
    `${FOUND} ${exists[0]?.there === true ? `union all select 'purpose', code, concat(number, ' ', opt_out) from ${SCHEMA}.purposes` : ''}`,
    [`habeas_${key}_`, tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
  return new Map(rows.map((row) => [objectKey(row), row.definition]));
}

/** Lists are sorted, so that the same state is always the same text. */
const FOUND = `
with ours as (
  select oid, nspname, nspowner, nspacl from pg_catalog.pg_namespace where nspname = '${SCHEMA}' or nspname ~ '^purpose_'
), people as (
  select c.oid, n.nspname, c.relname, c.relrowsecurity from unnest($2::text[], $3::text[]) as t(schema, name)
  join pg_catalog.pg_namespace n on n.nspname = t.schema join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.name
)
select 'schema' as kind, nspname::text as name, concat(pg_catalog.pg_get_userbyid(nspowner), ' ', nspacl) as definition from ours
union all
select case c.relkind when 'v' then 'view' else 'table' end,
  case c.relkind when 'v' then concat(ours.nspname, '.', c.relname) else c.relname end,
  concat(pg_catalog.pg_get_userbyid(c.relowner), ' ', c.relacl, ' ', c.reloptions, ' ', case c.relkind when 'v' then pg_catalog.pg_get_viewdef(c.oid) end,
    (select string_agg(concat(attname, ' ', pg_catalog.format_type(atttypid, atttypmod), ' ', attnotnull, ' ', attstorage, ' ', attacl), ', ' order by attnum)
     from pg_catalog.pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped),
    (select string_agg(pg_catalog.pg_get_indexdef(indexrelid), ', ' order by pg_catalog.pg_get_indexdef(indexrelid)) from pg_catalog.pg_index where indrelid = c.oid),
    (select string_agg(pg_catalog.pg_get_triggerdef(oid), ', ' order by tgname) from pg_catalog.pg_trigger where tgrelid = c.oid and not tgisinternal))
from pg_catalog.pg_class c join ours on ours.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm', 'p', 'f') and not (ours.nspname = '${SCHEMA}' and c.relname = 'objects')
union all
select 'function', p.proname::text, concat(pg_catalog.pg_get_userbyid(p.proowner), ' ', p.proacl, ' ', pg_catalog.pg_get_function_identity_arguments(p.oid), ' ',
  p.provolatile, ' ', p.prosecdef, ' ', p.proconfig, ' ', p.prosrc)
from pg_catalog.pg_proc p join ours on ours.oid = p.pronamespace
union all
select 'role', rolname::text, concat('superuser ', rolsuper, ', bypasses row security ', rolbypassrls, ', makes roles ', rolcreaterole,
  ', logs in ', rolcanlogin,
  ', member of: ', (select string_agg(pg_catalog.pg_get_userbyid(roleid), ' ' order by 1) from pg_catalog.pg_auth_members where member = r.oid),
  ', reads: ', (select string_agg(concat(nspname, '.', relname), ' ' order by nspname, relname) from people
    where pg_catalog.has_any_column_privilege(r.oid, people.oid, 'select')),
  ', reads what people said: ', (select string_agg(c.relname, ' ' order by c.relname) from pg_catalog.pg_class c join ours on ours.oid = c.relnamespace
    where ours.nspname = '${SCHEMA}' and c.relkind = 'r' and pg_catalog.has_any_column_privilege(r.oid, c.oid, 'select')))
from pg_catalog.pg_roles r where starts_with(rolname, $1)
union all
select 'row security', concat(nspname, '.', relname), concat('enabled ', relrowsecurity, ': ', (
  select string_agg(concat(polname, ' ', polpermissive, ' ', polcmd, ' ', (select string_agg(pg_catalog.pg_get_userbyid(r), ' ' order by r) from unnest(polroles) r),
    ' ', pg_catalog.pg_get_expr(polqual, polrelid), ' ', pg_catalog.pg_get_expr(polwithcheck, polrelid)), ', ' order by polname)
  from pg_catalog.pg_policy where polrelid = people.oid))
from people where relrowsecurity or exists (select from pg_catalog.pg_policy where polrelid = people.oid)`;
