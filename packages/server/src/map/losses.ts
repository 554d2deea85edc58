import { sql } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import type { Database } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import type { MapTables } from './tables.ts';

/** That much of the map went at once that somebody should look whether it really went. */
export interface MapLoss {
  readonly at: Date;
  /** When they were seen last: the poll before. */
  readonly before: Date;
  /** Edges (flows and stores) that no source declares any more. */
  readonly lost: number;
  /** Edges that there were before. */
  readonly edges: number;
  /** The sources that declared them. */
  readonly sources: readonly string[];
}

export interface NoticeLossOptions {
  readonly organizationId: string;
  readonly source: string;
  readonly now: Date;
  /** When the source was read before: what other sources lost since then counts too. */
  readonly since: Date | null;
  /** Keys of the edges that the source declares no longer. */
  readonly ended: readonly string[];
  /** A loss above this many percent of all edges is told. */
  readonly percent: number;
}

/**
 * Adds up what all sources lost between two polls, and tells once if it is too much. Returns how many edges are lost
 * through this source, and the loss if it is a new one.
 */
export async function noticeLoss(
  transaction: Database,
  options: NoticeLossOptions,
): Promise<{ readonly lost: number; readonly loss: MapLoss | undefined }> {
  const { organizationId, source, now, since, percent } = options;
  if (options.ended.length === 0) return { lost: 0, loss: undefined };
  // Sources are read side by side: each has to see what the others lost.
  await sql`select pg_advisory_xact_lock(hashtext(${`map loss ${organizationId}`}))`.execute(transaction);
  const lost = await countLost(transaction, options);
  if (lost === 0) return { lost, loss: undefined };
  const others = await transaction
    .withTables<MapTables>()
    .selectFrom('map_sources')
    .select(['source', 'lost'])
    .where('organization_id', '=', organizationId)
    .where('source', '<>', source)
    .where('lost', '>', 0)
    .where('lost_at', '>', since ?? now)
    .orderBy('source')
    .execute();
  const total = others.reduce((sum, other) => sum + other.lost, lost);
  const edges = (await countEdges(transaction, organizationId)) + total;
  if (total * 100 <= edges * percent) return { lost, loss: undefined };
  const sources = [...others.map((other) => other.source), source].sort();
  const loss: MapLoss = { at: now, before: since ?? now, lost: total, edges, sources };
  return { lost, loss: (await isKnown(transaction, options, loss)) ? undefined : loss };
}

/** What ended here and goes on in another source is not lost. */
async function countLost(
  transaction: Database,
  { organizationId, ended }: NoticeLossOptions,
): Promise<number> {
  const { rows } = await sql<{ lost: number }>`
    select count(*)::integer as lost
    from unnest(${ended}::text[]) as ended (declaration)
    where not exists (
      select from map_declarations as declarations
      where declarations.organization_id = ${organizationId}
        and declarations.declaration = ended.declaration
        and declarations.last_seen is null
    )`.execute(transaction);
  return rows[0]?.lost ?? 0;
}

async function countEdges(transaction: Database, organizationId: string): Promise<number> {
  const { rows } = await sql<{ edges: number }>`
    select count(distinct declaration)::integer as edges
    from map_declarations
    where organization_id = ${organizationId} and last_seen is null and kind <> 'client'`.execute(
    transaction,
  );
  return rows[0]?.edges ?? 0;
}

/** One loss is told once, however many sources are read until all of it is seen; its figures grow. */
async function isKnown(
  transaction: Database,
  { organizationId, source, since, now }: NoticeLossOptions,
  loss: MapLoss,
): Promise<boolean> {
  const tables = transaction.withTables<MapTables>();
  const figures = { lost: loss.lost, edges: loss.edges, sources: JSON.stringify(loss.sources) };
  const known = await tables
    .updateTable('map_losses')
    .set(figures)
    .where('organization_id', '=', organizationId)
    .where('at', '>', since ?? now)
    .executeTakeFirst();
  if (known.numUpdatedRows > 0n) return true;
  await tables
    .insertInto('map_losses')
    .values({ organization_id: organizationId, at: now, before: loss.before, ...figures })
    .onConflict((conflict) => conflict.columns(['organization_id', 'at']).doUpdateSet(figures))
    .execute();
  const details = { lost: loss.lost, edges: loss.edges };
  const entry = { organizationId, actor: 'system', action: 'map.shrunk', subject: source, details };
  await appendAudit(transaction, [entry], now);
  await publish(transaction, [{ organizationId, type: 'map.shrunk', data: { source, ...details } }], now);
  return false;
}

/** The last loss, if it is not older than this. */
export async function loadLoss(
  db: Database,
  options: { readonly organizationId: string; readonly after: Date },
): Promise<MapLoss | undefined> {
  const row = await db
    .withTables<MapTables>()
    .selectFrom('map_losses')
    .select(['at', 'before', 'lost', 'edges', 'sources'])
    .where('organization_id', '=', options.organizationId)
    .where('at', '>', options.after)
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : { ...row, sources: JSON.parse(row.sources) };
}
