import type pg from 'pg';
import { HabeasError } from '../../foundation/index.ts';
import { type NumberedPurpose, SCHEMA } from './choose-predicate.ts';
import type { FoundObjects } from './read-objects.ts';
import type { Target, TargetPurpose } from './target.ts';

/** What was made, and how the database showed it then. */
export interface Recorded {
  readonly kind: string;
  readonly name: string;
  readonly wanted: string;
  readonly found: string;
  readonly dropped: readonly string[];
}

/** What was made by plans, in the order in which it was made. */
export async function readRecorded(client: pg.ClientBase): Promise<readonly Recorded[]> {
  if (!(await isThere(client, 'objects'))) return [];
  const { rows } = await client.query<Recorded>(
    `select kind, name, wanted, found, dropped from ${SCHEMA}.objects order by place`,
  );
  return rows;
}

/** Numbers are never used again: what people said about one purpose must not be read as said about another. */
export async function numberPurposes(
  client: pg.ClientBase,
  purposes: readonly TargetPurpose[],
  found: FoundObjects,
): Promise<readonly NumberedPurpose[]> {
  const { rows } = found.has('table purposes')
    ? await client.query<{ code: string; number: number }>(`select code, number from ${SCHEMA}.purposes`)
    : { rows: [] };
  const numbers = new Map(rows.map(({ code, number }) => [code, number]));
  for (const { code } of purposes)
    if (!numbers.has(code)) numbers.set(code, Math.max(-1, ...numbers.values()) + 1);
  return purposes.map((purpose) => ({ ...purpose, number: numbers.get(purpose.code) ?? 0 }));
}

/** Throws CONFLICT where the target is somebody else's. */
export async function requireOwnOrganization(
  client: pg.ClientBase,
  { organizationId }: Target,
  isInstalled: boolean,
): Promise<void> {
  if (!isInstalled || !(await isThere(client, 'installed'))) return;
  const { rows } = await client.query<{ organization: string }>(
    `select organization from ${SCHEMA}.installed`,
  );
  const other = rows[0]?.organization;
  if (other !== undefined && other !== organizationId)
    throw new HabeasError(
      'CONFLICT',
      `The target belongs to the organization ${other}, not to ${organizationId}.`,
    );
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
  if (wrong.length > 0)
    throw new HabeasError('SCHEMA_MISMATCH', `${wrong.join('; ')}. Correct consent.targets.`, {
      details: wrong,
    });
}

async function isThere(client: pg.ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('${SCHEMA}.${table}') is not null as there`,
  );
  return rows[0]?.there === true;
}
