import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { DETAILS, type Declaration, type DeclarationDetails } from './declaration.ts';
import type { EndedInterval, StartedInterval } from './reconcile.ts';
import type { MapTables } from './tables.ts';

type DetailName = keyof DeclarationDetails;

type IntervalRow = Omit<MapTables['map_declarations'], 'number'>;

export interface SourceScope {
  readonly organizationId: string;
  readonly source: string;
}

/** So many at once, so that not all of them are in memory as the text of a statement too. */
const ROWS_PER_STATEMENT = 5_000;

/** Keys of what the source declared when it was read last, and since when. */
export async function readOpenIntervals(
  db: Database,
  scope: SourceScope,
): Promise<ReadonlyMap<string, Date>> {
  // Many in one row, because a hundred thousand rows take longer to receive than to find; not all, which would be in memory twice.
  const { rows } = await sql<{ first_seen: Date; keys: string }>`
    select first_seen, string_agg(declaration, ',') as keys
    from map_declarations
    where organization_id = ${scope.organizationId} and source = ${scope.source} and last_seen is null
    group by first_seen, left(declaration, 2)`.execute(db);
  const open = new Map<string, Date>();
  for (const { first_seen: firstSeen, keys } of rows) {
    for (const key of keys.split(',')) open.set(key, firstSeen);
  }
  return open;
}

const COLUMNS = {
  organization_id: 'text',
  source: 'text',
  declaration: 'text',
  kind: 'text',
  team: 'text',
  service: 'text',
  to_service: 'text',
  data_type: 'text',
  address: 'text',
  protocol: 'text',
  purpose: 'text',
  subject: 'text',
  retention: 'text',
  region: 'text',
  first_seen: 'timestamptz',
  last_seen: 'timestamptz',
} as const satisfies Record<keyof IntervalRow, string>;

const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

export async function startIntervals(
  transaction: Database,
  scope: SourceScope,
  started: readonly StartedInterval[],
): Promise<void> {
  for (let from = 0; from < started.length; from += ROWS_PER_STATEMENT) {
    const rows = started.slice(from, from + ROWS_PER_STATEMENT).map((interval) => toRow(scope, interval));
    // An array a column: a parameter for each value takes longer to write and to read than the rows themselves.
    const arrays = NAMES.map((name) => sql`${rows.map((row) => row[name])}::${sql.raw(COLUMNS[name])}[]`);
    const names = sql.join(NAMES.map((name) => sql.ref(name)));
    // A trigger would do it too, one row at a time.
    await sql`
      insert into map_declaration_numbers (organization_id, source, declaration)
      select ${scope.organizationId}, ${scope.source}, key
      from unnest(${rows.map(({ declaration }) => declaration)}::text[]) as key
      where not exists (
        select from map_declaration_numbers
        where organization_id = ${scope.organizationId} and source = ${scope.source} and declaration = key
      )
      on conflict do nothing`.execute(transaction);
    // Ended and begun again within one tick of the clock: the same interval goes on.
    await sql`
      insert into map_declarations (${names}, number)
      select ${names}, number
      from unnest(${sql.join(arrays)}) as started (${names})
        left join map_declaration_numbers using (organization_id, source, declaration)
      on conflict (organization_id, source, declaration, first_seen) do update set last_seen = null`.execute(
      transaction,
    );
  }
}

/** Returns the keys of the edges among what ended: flows and stores, not clients. */
export async function endIntervals(
  transaction: Database,
  scope: SourceScope,
  ended: readonly EndedInterval[],
): Promise<readonly string[]> {
  if (ended.length === 0) return [];
  const keys = ended.map((interval) => interval.key);
  const times = ended.map((interval) => interval.lastSeen);
  const { rows } = await sql<{ declaration: string; kind: string }>`
    update map_declarations as declarations
    set last_seen = ended.last_seen
    from unnest(${keys}::text[], ${times}::timestamptz[]) as ended (declaration, last_seen)
    where declarations.organization_id = ${scope.organizationId}
      and declarations.source = ${scope.source}
      and declarations.declaration = ended.declaration
      and declarations.last_seen is null
    returning declarations.declaration, declarations.kind`.execute(transaction);
  return rows.filter(({ kind }) => kind !== 'client').map(({ declaration }) => declaration);
}

/** The row of an interval that has not ended. */
export function toRow(scope: SourceScope, interval: StartedInterval): IntervalRow {
  const { declaration } = interval;
  return {
    organization_id: scope.organizationId,
    source: scope.source,
    declaration: interval.key,
    kind: declaration.kind,
    team: declaration.team,
    service: declaration.service ?? null,
    to_service: declaration.kind === 'transmit' ? declaration.toService : null,
    data_type: declaration.kind === 'client' ? null : declaration.dataType,
    address: declaration.kind === 'client' ? declaration.address : null,
    protocol: declaration.kind === 'client' ? declaration.protocol : null,
    ...detailColumns(declaration),
    first_seen: interval.firstSeen,
    last_seen: null,
  };
}

function detailColumns(declaration: Declaration): Pick<MapTables['map_declarations'], DetailName> {
  const { purpose, subject, retention, region }: DeclarationDetails =
    declaration.kind === 'client' ? {} : declaration;
  return {
    purpose: purpose ?? null,
    subject: subject ?? null,
    retention: retention ?? null,
    region: region ?? null,
  };
}

/** The declaration of a stored row; undefined for a row that this version does not understand. */
export function fromRow(
  row: Pick<
    MapTables['map_declarations'],
    'kind' | 'team' | 'service' | 'to_service' | 'data_type' | 'address' | 'protocol' | DetailName
  >,
): Declaration | undefined {
  const { kind, team, service, to_service: toService, data_type: dataType, address, protocol } = row;
  if (kind === 'client' && address !== null && protocol !== null) {
    return { kind, team, service: service ?? undefined, address, protocol };
  }
  if (service === null || dataType === null) return undefined;
  const details: { [Name in DetailName]?: string } = {};
  for (const name of DETAILS) {
    const detail = row[name];
    if (detail !== null) details[name] = detail;
  }
  if (kind === 'store') return { kind, team, service, dataType, ...details };
  if (kind === 'transmit' && toService !== null) {
    return { kind, team, service, toService, dataType, ...details };
  }
  return undefined;
}
