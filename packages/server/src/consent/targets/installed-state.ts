import type pg from 'pg';
import { type NumberedPurpose, SCHEMA } from './choose-predicate.ts';
import { requireNothingWrong, requireOrganization, withNumbers } from './installed-rows.ts';
import type { FoundObjects } from './read-objects.ts';
import type { Target, TargetPurpose } from './target.ts';
import type { Recorded } from './target-object.ts';

/** What was made by plans, in the order in which it was made. */
export async function readRecorded(client: pg.ClientBase): Promise<readonly Recorded[]> {
  if (!(await isThere(client, 'objects'))) return [];
  const { rows } = await client.query<Recorded>(
    `select kind, name, wanted, found, dropped from ${SCHEMA}.objects order by place`,
  );
  return rows;
}

export async function numberPurposes(
  client: pg.ClientBase,
  purposes: readonly TargetPurpose[],
  found: FoundObjects,
): Promise<readonly NumberedPurpose[]> {
  const { rows } = found.has('table purposes')
    ? await client.query<{ code: string; number: number }>(`select code, number from ${SCHEMA}.purposes`)
    : { rows: [] };
  return withNumbers(purposes, rows);
}

/** Throws CONFLICT where the target is somebody else's. */
export async function requireOwnOrganization(
  client: pg.ClientBase,
  target: Target,
  isInstalled: boolean,
): Promise<void> {
  if (!isInstalled || !(await isThere(client, 'installed'))) return;
  const { rows } = await client.query<{ organization: string }>(
    `select organization from ${SCHEMA}.installed`,
  );
  requireOrganization(target, rows[0]?.organization);
}

/** Throws SCHEMA_MISMATCH for tables and columns that the target does not have. */
export async function requireColumns(client: pg.ClientBase, { tables }: Target): Promise<void> {
  const { rows } = await client.query<{ schema: string; name: string; columns: string[] }>(
    `select n.nspname::text as schema, c.relname::text as name, array_agg(a.attname::text) as columns
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where n.nspname = any($1) group by 1, 2`,
    [tables.map(({ schema }) => schema)],
  );
  const wrong = tables.flatMap((table) => {
    const there = rows.find((row) => row.schema === table.schema && row.name === table.name);
    const columns =
      table.kind === 'open' ? [] : [table.column, ...(table.key === undefined ? [] : [table.key])];
    if (there === undefined) return [`${table.schema}.${table.name} is not there`];
    return columns
      .filter((column) => !there.columns.includes(column))
      .map((column) => `${table.schema}.${table.name} has no column ${column}`);
  });
  requireNothingWrong(wrong);
}

async function isThere(client: pg.ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('${SCHEMA}.${table}') is not null as there`,
  );
  return rows[0]?.there === true;
}
