import type pg from 'pg';
import type { Target } from './target.ts';

/** A column of the type `uuid`, or of a domain of it. */
export interface UuidColumn {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
}

export async function readUuidColumns(
  client: Pick<pg.ClientBase, 'query'>,
  { tables }: Pick<Target, 'tables'>,
): Promise<readonly UuidColumn[]> {
  const { rows } = await client.query<UuidColumn>(
    `with recursive uuids(oid) as (
       select 'pg_catalog.uuid'::regtype::oid union all select t.oid from pg_catalog.pg_type t join uuids on uuids.oid = t.typbasetype
     )
     select n.nspname::text as schema, c.relname::text as table, a.attname::text as name
     from pg_catalog.pg_attribute a join uuids on uuids.oid = a.atttypid
     join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any($1) and a.attnum > 0 and not a.attisdropped`,
    [tables.map(({ schema }) => schema)],
  );
  return rows;
}

/** The target, with a mark at tables whose people are named by one of these columns. */
export function withUuids(target: Target, uuids: readonly UuidColumn[]): Target {
  const tables = target.tables.map((table) => {
    if (table.kind === 'open') return table;
    const { schema, name, column } = table;
    const isUuid = uuids.some((one) => one.schema === schema && one.table === name && one.name === column);
    return { ...table, isUuid };
  });
  return { ...target, tables };
}
