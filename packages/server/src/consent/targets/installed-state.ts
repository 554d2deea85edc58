import type pg from 'pg';
import { type NumberedPurpose, SCHEMA } from './choose-predicate.ts';
import { requireNothingWrong, requireOrganization, withNumbers } from './installed-rows.ts';
import type { FoundObjects } from './read-objects.ts';
import type { Target, TargetPurpose, TargetTable } from './target.ts';
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

/** Types of which a value is written as an identity in one way. */
const TEXTS = new Set(['text', 'character varying', 'character']);
const WHOLE_NUMBERS = new Set(['smallint', 'integer', 'bigint']);

/** A column of a table of the target. `base`: its type, or that which its domain is made of; `type`: as it is declared. */
interface Column {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly base: string;
}

/** Throws SCHEMA_MISMATCH for tables and columns that the target does not have, and for columns of which values are not identities as they are written. */
export async function requireColumns(client: pg.ClientBase, { tables }: Target): Promise<void> {
  const { rows: columns } = await client.query<Column>(
    `with recursive bases(oid, base) as (
       select oid, oid from pg_catalog.pg_type where typtype <> 'd'
       union all select t.oid, bases.base from pg_catalog.pg_type t join bases on bases.oid = t.typbasetype where t.typtype = 'd'
     )
     select n.nspname::text as schema, c.relname::text as table, a.attname::text as name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) as type, pg_catalog.format_type(bases.base, null) as base
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped join bases on bases.oid = a.atttypid
     where n.nspname = any($1)`,
    [tables.map(({ schema }) => schema)],
  );
  const { rows } = await client.query<{ encoding: string }>(
    "select pg_catalog.current_setting('server_encoding') as encoding",
  );
  const encoding = rows[0]?.encoding ?? '';
  requireNothingWrong([
    ...tables.flatMap((table) => wrongWith(table, { columns, encoding })),
    ...(await openParts(client, tables)),
  ]);
}

/** Tables said to have no personal data that have rows of one with people's: as its part, as its whole, or because both have a part that is one. */
async function openParts(client: pg.ClientBase, tables: readonly TargetTable[]): Promise<readonly string[]> {
  const { rows } = await client.query<Record<'open' | 'people', number>>(
    `with recursive ancestors(oid, ancestor) as (
       select inhrelid, inhparent from pg_catalog.pg_inherits
       union select ancestors.oid, inhparent from ancestors join pg_catalog.pg_inherits on inhrelid = ancestor
     ), declared as (
       select c.oid, place, is_open from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality as t (schema, name, is_open, place)
       join pg_catalog.pg_namespace n on n.nspname = schema join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = name
     ), members(oid, whole) as (
       select oid, ancestor from ancestors union all select oid, oid from declared
     )
     select o.place::int as open, p.place::int as people from declared o join declared p on o.is_open and not p.is_open
     where exists (select from members mine join members theirs using (oid) where mine.whole = o.oid and theirs.whole = p.oid) order by 1, 2`,
    [
      tables.map(({ schema }) => schema),
      tables.map(({ name }) => name),
      tables.map(({ kind }) => kind === 'open'),
    ],
  );
  const named = (place: number) => `${tables[place - 1]?.schema}.${tables[place - 1]?.name}`;
  return rows.map(
    ({ open, people }) =>
      `${named(open)} is declared to have none of people, and shares rows with ${named(people)}, which has: leave ${named(open)} out`,
  );
}

function wrongWith(
  table: TargetTable,
  { columns, encoding }: { readonly columns: readonly Column[]; readonly encoding: string },
): readonly string[] {
  const named = `${table.schema}.${table.name}`;
  const there = columns.filter((one) => one.schema === table.schema && one.table === table.name);
  if (there.length === 0) return [`${named} is not there`];
  if (table.kind === 'open') return [];
  const find = (name: string) => there.find((one) => one.name === name);
  const missing = [...new Set([table.column, table.key ?? table.column])].filter(
    (name) => find(name) === undefined,
  );
  const wrong = missing.map((name) => `${named} has no column ${name}`);
  const column = find(table.column);
  if (
    column !== undefined &&
    !TEXTS.has(column.base) &&
    !WHOLE_NUMBERS.has(column.base) &&
    column.base !== 'uuid'
  )
    wrong.push(
      `${named}.${column.name} is ${column.type}, and people are named by texts, whole numbers or uuids: add a column of one of these, \`generated always as (…) stored\`, and name that`,
    );
  // E-mail addresses are looked at where they are folded.
  if (column !== undefined && TEXTS.has(column.base) && table.identity !== 'email' && encoding !== 'UTF8')
    wrong.push(
      `${named}.${column.name} is ${column.type}, and PostgreSQL composes letters in UTF-8 alone; the database is in ${encoding}: use one in UTF-8, or name people by whole numbers or uuids`,
    );
  const key = table.key === undefined ? undefined : find(table.key);
  if (key !== undefined && !WHOLE_NUMBERS.has(key.base))
    wrong.push(`${named}.${key.name} is ${key.type}, and no whole number`);
  return wrong;
}

async function isThere(client: pg.ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('${SCHEMA}.${table}') is not null as there`,
  );
  return rows[0]?.there === true;
}
