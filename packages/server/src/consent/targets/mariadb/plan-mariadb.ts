import { HabeasError } from '../../../foundation/index.ts';
import { SCHEMA } from '../choose-predicate.ts';
import { requireNothingWrong, requireOrganization, withNumbers } from '../installed-rows.ts';
import { type InstallPlan, planSteps, requireSamePlan, wantedText } from '../plan-steps.ts';
import { type FoundObjects, objectKey } from '../read-objects.ts';
import type { Target, TargetTable } from '../target.ts';
import { type Recorded, roleOf } from '../target-object.ts';
import { classOfColumn, type MariadbColumn } from './mariadb-column.ts';
import { type FindColumn, mariadbObjects, OBJECTS_TABLE } from './mariadb-objects.ts';
import type { MariadbSession } from './mariadb-session.ts';
import { quoteName, quoteText } from './mariadb-text.ts';
import { readMariadbObjects } from './read-mariadb-objects.ts';

/** Compares; changes nothing. Throws SCHEMA_MISMATCH for tables and columns that cannot be narrowed, and for a server that is no MariaDB. */
export async function planMariadb(session: MariadbSession, target: Target): Promise<InstallPlan> {
  const { plan } = await planWithin(session, target);
  return plan;
}

/**
 * Does what {@link planMariadb} would say. MariaDB has no transaction of statements that make things: until the last one is done jobs may see less
 * than they will, and never more; what was interrupted goes on when it is done again.
 */
export async function applyMariadb(
  session: MariadbSession,
  target: Target,
  { fingerprint }: { readonly fingerprint?: string } = {},
): Promise<InstallPlan> {
  const { plan, columnOf } = await planWithin(session, target);
  requireSamePlan(target, plan, fingerprint);
  const wanted = mariadbObjects(target, plan.purposes, columnOf);
  for (const { statements } of plan.steps) for (const statement of statements) await session.run(statement);
  await session.run(OBJECTS_TABLE);
  await session.change(
    `insert into ${SCHEMA}.installed (one, organization) values (1, ?) on duplicate key update organization = values(organization)`,
    [target.organizationId],
  );
  const found = await readMariadbObjects(session, target);
  requireClosedRoles(target, found);
  await session.run('start transaction');
  await session.change(`delete from ${SCHEMA}.objects`);
  for (const [place, object] of wanted.entries())
    await session.change(
      `insert into ${SCHEMA}.objects (place, kind, name, wanted, found, dropped) values (?, ?, ?, ?, ?, ?)`,
      [
        place,
        object.kind,
        object.name,
        wantedText(object),
        found.get(objectKey(object)) ?? '',
        JSON.stringify(object.drop),
      ],
    );
  await session.run('commit');
  return plan;
}

async function planWithin(
  session: MariadbSession,
  target: Target,
): Promise<{ readonly plan: InstallPlan; readonly columnOf: FindColumn }> {
  await requireMariadb(session, target);
  const columnOf = await readColumns(session, target);
  const found = await readMariadbObjects(session, target);
  const recorded = await readRecorded(session);
  if (await isThere(session, 'installed')) {
    const [row] = await session.rows<{ organization: string }>(
      `select organization from ${SCHEMA}.installed`,
    );
    requireOrganization(target, row?.organization);
  }
  const numbers = found.has('table purposes')
    ? await session.rows<{ code: string; number: number }>(`select code, number from ${SCHEMA}.purposes`)
    : [];
  const purposes = withNumbers(target.purposes, numbers);
  const objects = mariadbObjects(target, purposes, columnOf);
  const plan = planSteps({ target, purposes, objects, recorded, found, isTiedToTables: false });
  return { plan, columnOf };
}

async function requireMariadb(session: MariadbSession, { key }: Target): Promise<void> {
  const [row] = await session.rows<{ version: string }>('select version() as version');
  const version = row?.version ?? '';
  if (!/^(10\.([6-9]|\d\d)|1[1-9]|[2-9]\d)\..*MariaDB/.test(version))
    throw new HabeasError(
      'SCHEMA_MISMATCH',
      `The server of the target ${key} says that it is ${JSON.stringify(version)}: consent is enforced in PostgreSQL, and in MariaDB from 10.6 on.`,
    );
}

/** Throws SCHEMA_MISMATCH for what the tables of the configuration lack. */
async function readColumns(session: MariadbSession, { tables, numbers }: Target): Promise<FindColumn> {
  const schemas = [...new Set(tables.map(({ schema }) => quoteText(schema)))].join(', ');
  const columns = await session.rows<MariadbColumn>(
    `select table_schema as \`schema\`, table_name as \`table\`, column_name as name, data_type as type, character_maximum_length as length
     from information_schema.columns where table_schema in (${schemas})`,
  );
  const find = (table: TargetTable, name: string) =>
    columns.find((one) => one.schema === table.schema && one.table === table.name && one.name === name);
  requireNothingWrong(tables.flatMap((table) => wrongWith(table, { columns, numbers, find })));
  return (table) => find(table, table.kind === 'protected' ? table.column : '') as MariadbColumn;
}

interface Known {
  readonly columns: readonly MariadbColumn[];
  readonly numbers: Target['numbers'];
  readonly find: (table: TargetTable, name: string) => MariadbColumn | undefined;
}

function wrongWith(table: TargetTable, { columns, numbers, find }: Known): readonly string[] {
  const named = `${table.schema}.${table.name}`;
  if (!columns.some((one) => one.schema === table.schema && one.table === table.name))
    return [`${named} is not there`];
  if (table.kind === 'open') return [];
  const wrong: string[] = [];
  const column = find(table, table.column);
  if (column === undefined) wrong.push(`${named} has no column ${table.column}`);
  else if (classOfColumn(column) === undefined)
    wrong.push(
      `${named}.${table.column} is a ${column.type}, and people are named by texts, whole numbers or uuids`,
    );
  const key = table.key ?? (numbers.has(table.identity) ? table.column : undefined);
  const number = key === undefined ? undefined : find(table, key);
  if (key !== undefined && number === undefined) wrong.push(`${named} has no column ${key}`);
  if (number !== undefined && classOfColumn(number) !== 'integer')
    wrong.push(`${named}.${key} is a ${number.type}, and no whole number`);
  return wrong;
}

async function readRecorded(session: MariadbSession): Promise<readonly Recorded[]> {
  if (!(await isThere(session, 'objects'))) return [];
  const rows = await session.rows<Omit<Recorded, 'dropped'> & { readonly dropped: string }>(
    `select kind, name, wanted, found, dropped from ${SCHEMA}.objects order by place`,
  );
  return rows.map((row) => ({ ...row, dropped: JSON.parse(row.dropped) as readonly string[] }));
}

async function isThere(session: MariadbSession, table: string): Promise<boolean> {
  const rows = await session.rows(
    'select 1 from information_schema.tables where table_schema = ? and table_name = ?',
    [SCHEMA, table],
  );
  return rows.length > 0;
}

/** A role that it has, or a grant to everybody, is not ours to take away. */
function requireClosedRoles(target: Target, found: FoundObjects): void {
  for (const { code } of target.purposes) {
    const name = roleOf(target, code);
    const role = quoteName(name);
    const views = target.tables.map(
      (table) => `GRANT SELECT ON ${quoteName(`purpose_${code}`)}.${quoteName(table.name)} TO ${role}`,
    );
    const allowed = new Set([`GRANT USAGE ON *.* TO ${role}`, ...views]);
    const more = (found.get(objectKey({ kind: 'role', name })) ?? '')
      .split('\n')
      .filter((line) => line !== '' && !allowed.has(line));
    if (more.length > 0)
      throw new HabeasError(
        'CONFLICT',
        `The role ${name} can still read more than its views (${more.join('; ')}), by a grant that no plan made. Revoke that, and apply again.`,
      );
  }
}
