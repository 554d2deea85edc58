import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import type { Declaration } from './declaration.ts';
import { fromRow } from './intervals.ts';
import { later } from './reconcile.ts';
import type { MapTables, SourceWarning } from './tables.ts';

/** What is stored and still holds, as the answers are computed from it. */
export interface MapSnapshot {
  readonly declarations: readonly SeenDeclaration[];
  readonly clients: readonly KnownClient[];
  readonly sources: readonly SourceStatus[];
}

/** A declaration that its source has not taken back. */
export interface SeenDeclaration {
  readonly declaration: Declaration;
  readonly source: string;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
}

/** A client that was declared at some time. */
export interface KnownClient {
  readonly id: string;
  readonly team: string;
  readonly service: string | undefined;
  readonly address: string;
  readonly protocol: 'grpc' | 'http';
  readonly state: 'proposed' | 'approved' | 'rejected';
  readonly decidedBy: string | null;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** No source of the configuration declares it any more. */
  readonly stale: boolean;
}

export interface SourceStatus {
  readonly source: string;
  readonly state: 'new' | 'ok' | 'partial' | 'failing';
  readonly completeAt: Date | null;
  readonly error: string | null;
  readonly warnings: readonly SourceWarning[];
  /** Whether the configuration still names it. */
  readonly configured: boolean;
}

export interface LoadSnapshotOptions {
  readonly organizationId: string;
  /** Names of the sources of the configuration. */
  readonly configured: ReadonlySet<string>;
}

/** Everything from one moment: a poll that runs meanwhile is either in all of it or in none. */
export async function loadSnapshot(db: Database, options: LoadSnapshotOptions): Promise<MapSnapshot> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (transaction) => {
      const sources = await loadSources(transaction, options);
      return {
        sources,
        declarations: await loadDeclarations(transaction, options.organizationId),
        clients: await loadClients(transaction, options),
      };
    });
}

async function loadSources(db: Database, options: LoadSnapshotOptions): Promise<readonly SourceStatus[]> {
  const rows = await db
    .withTables<MapTables>()
    .selectFrom('map_sources')
    .select(['source', 'state', 'complete_at', 'error_message', 'warnings'])
    .where('organization_id', '=', options.organizationId)
    .orderBy('source')
    .execute();
  return rows.map((row) => ({
    source: row.source,
    state: row.state,
    completeAt: row.complete_at,
    error: row.error_message,
    warnings: JSON.parse(row.warnings),
    configured: options.configured.has(row.source),
  }));
}

async function loadDeclarations(db: Database, organizationId: string): Promise<readonly SeenDeclaration[]> {
  const rows = await db
    .withTables<MapTables>()
    .selectFrom('map_declarations as declarations')
    .innerJoin('map_sources as sources', (join) =>
      join
        .onRef('sources.organization_id', '=', 'declarations.organization_id')
        .onRef('sources.source', '=', 'declarations.source'),
    )
    .select([
      'declarations.source',
      'kind',
      'team',
      'service',
      'to_service',
      'data_type',
      'address',
      'protocol',
      'first_seen',
      'complete_at',
    ])
    .where('declarations.organization_id', '=', organizationId)
    .where('last_seen', 'is', null)
    .orderBy('first_seen')
    .orderBy('declaration')
    .orderBy('declarations.source')
    .execute();
  return rows.flatMap((row) => {
    const declaration = fromRow(row);
    if (declaration === undefined) return [];
    const lastSeen = later(row.first_seen, row.complete_at);
    return [{ declaration, source: row.source, firstSeen: row.first_seen, lastSeen }];
  });
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
    first_seen: Date;
    last_seen: Date | null;
    declared: boolean | null;
  }>`
    select
      clients.id, clients.team, clients.service, clients.address, clients.protocol, clients.state,
      clients.decided_by, clients.first_seen, seen.last_seen, seen.declared
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
    firstSeen: row.first_seen,
    lastSeen: row.last_seen ?? row.first_seen,
    stale: row.declared !== true,
  }));
}
