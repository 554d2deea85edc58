import { sql } from 'kysely';
import { type Database, kept, together } from '../foundation/index.ts';
import { type GapDecisions, loadGapDecisions } from './gap-decisions.ts';
import type { KnownClient } from './known-client.ts';
import type { DeclarationLoader } from './load-declarations.ts';
import { loadLoss, type MapLoss } from './losses.ts';
import type { Moment, SeenDeclaration, SourceStatus } from './seen-declaration.ts';
import type { MapTables } from './tables.ts';

/** What was declared at one moment, as the answers are computed from it; clients, sources and decisions are always those of now. */
export interface MapSnapshot {
  readonly declarations: readonly SeenDeclaration[];
  /** The same of the moment to compare with. */
  readonly compared?: readonly SeenDeclaration[] | undefined;
  readonly clients: readonly KnownClient[];
  readonly sources: readonly SourceStatus[];
  /** The last time that the map lost too much at once, if it was lately. */
  readonly loss?: MapLoss | undefined;
  readonly decisions: GapDecisions;
}

export interface LoadSnapshotOptions {
  readonly organizationId: string;
  /** Names of the sources of the configuration. */
  readonly configured: ReadonlySet<string>;
  readonly now: Date;
  /** (Default: now) */
  readonly moment?: Moment | undefined;
  /** Another moment, whose declarations are loaded too. */
  readonly compareTo?: Moment | undefined;
  /** Only the declarations of flows and stores about which other things were said at the two moments. (Default: false) */
  readonly differenceOnly?: boolean;
}

/** How long the gap list tells of a loss, if what was lost does not come back. */
const LOSS_SHOWN_MILLISECONDS = 7 * 24 * 3_600_000;

/** All of it from one state of the database: a poll that runs meanwhile is either in all of it or in none. */
export async function loadSnapshot(
  db: Database,
  loader: DeclarationLoader,
  options: LoadSnapshotOptions,
): Promise<MapSnapshot> {
  const { organizationId } = options;
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (transaction) => {
      const after = new Date(options.now.getTime() - LOSS_SHOWN_MILLISECONDS);
      const [sources, clients, decisions, loss] = await together(transaction, (pipelined) => [
        loadSources(pipelined, options),
        loadClients(pipelined, options),
        loadGapDecisions(pipelined, organizationId),
        loadLoss(pipelined, { organizationId, after }),
      ]);
      const moments = await loadMoments(transaction, loader, { ...options, sources });
      return { sources, ...moments, clients, decisions, loss };
    });
}

async function loadMoments(
  transaction: Database,
  loader: DeclarationLoader,
  options: LoadSnapshotOptions & { readonly sources: readonly SourceStatus[] },
): Promise<Pick<MapSnapshot, 'declarations' | 'compared'>> {
  const { moment = 'now', compareTo, differenceOnly = false } = options;
  if (compareTo === undefined) return { declarations: await loader.at(transaction, { ...options, moment }) };
  if (differenceOnly) {
    const [declarations, compared] = await loader.difference(transaction, {
      ...options,
      moments: [moment, compareTo],
    });
    return { declarations, compared };
  }
  return {
    declarations: await loader.at(transaction, { ...options, moment }),
    compared: await loader.at(transaction, { ...options, moment: compareTo }),
  };
}

async function loadSources(
  db: Database,
  options: Pick<LoadSnapshotOptions, 'organizationId' | 'configured'>,
): Promise<readonly SourceStatus[]> {
  const rows = await db
    .withTables<MapTables>()
    .selectFrom('map_sources')
    .select(['source', 'kind', 'version', 'state', 'complete_at', 'error_message', 'warnings'])
    .where('organization_id', '=', options.organizationId)
    .orderBy('source')
    .execute();
  return rows.map((row) => ({
    source: row.source,
    kind: row.kind,
    version: row.version,
    state: row.state,
    completeAt: row.complete_at,
    error: row.error_message,
    warnings: JSON.parse(row.warnings),
    configured: options.configured.has(row.source),
  }));
}

/** Clients with the latest time that any of their declarations, open or ended, was seen. */
async function loadClients(db: Database, options: LoadSnapshotOptions): Promise<readonly KnownClient[]> {
  const { rows } = await sql<{
    id: string;
    team: string;
    service: string;
    address: string;
    protocol: 'grpc' | 'http';
    state: 'proposed' | 'approved' | 'rejected';
    decided_by: string | null;
    reason: string | null;
    first_seen: Date;
    last_seen: Date | null;
    declared: boolean | null;
  }>`${kept}
    select
      clients.id, clients.team, clients.service, clients.address, clients.protocol, clients.state,
      clients.decided_by, clients.reason, clients.first_seen, seen.last_seen, seen.declared
    from map_clients as clients
    left join lateral (
      select
        max(coalesce(declarations.last_seen, greatest(declarations.first_seen, sources.complete_at))) as last_seen,
        bool_or(declarations.last_seen is null and declarations.source = any(${[...options.configured]}::text[]))
          as declared
      from map_declarations as declarations
      join map_sources as sources using (organization_id, source)
      where organization_id = clients.organization_id
        and declarations.kind = 'client'
        and declarations.team = clients.team
        and coalesce(declarations.service, '') = clients.service
        and declarations.address = clients.address
        and declarations.protocol = clients.protocol
    ) as seen on true
    where clients.organization_id = ${options.organizationId}
    order by clients.team, clients.service, clients.first_seen, clients.id`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    team: row.team,
    service: row.service === '' ? undefined : row.service,
    address: row.address,
    protocol: row.protocol,
    state: row.state,
    decidedBy: row.decided_by,
    reason: row.reason,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen ?? row.first_seen,
    stale: row.declared !== true,
  }));
}
