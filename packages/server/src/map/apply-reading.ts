import { appendAudit } from '../audit/index.ts';
import type { Database } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import { proposeClients } from './clients.ts';
import { endIntervals, readOpenIntervals, startIntervals } from './intervals.ts';
import type { FailedReading, GoodReading, Reading } from './map-source.ts';
import { reconcile } from './reconcile.ts';
import type { MapTables, SourceWarning } from './tables.ts';

export interface ApplyOptions {
  readonly organizationId: string;
  readonly reading: Reading;
  /** When the reading began. */
  readonly startedAt: Date;
}

export interface Applied {
  readonly started: number;
  readonly ended: number;
  /** What the source was before: to tell when it begins to fail, and when it comes back. */
  readonly before: MapTables['map_sources']['state'];
}

/**
 * Stores what one reading changed, in one transaction. Servers that read the same source take turns at its row, and a
 * reading that began before the last stored one changes nothing: it is older news.
 */
export async function applyReading(db: Database, options: ApplyOptions): Promise<Applied> {
  return db.transaction().execute(async (transaction) => {
    const source = await lockSource(transaction, options);
    if (source.attempted_at !== null && source.attempted_at > options.startedAt) {
      return { started: 0, ended: 0, before: source.state };
    }
    return options.reading.state === 'failed'
      ? applyFailure(transaction, options, { source, reading: options.reading })
      : applyDeclarations(transaction, options, { source, reading: options.reading });
  });
}

type SourceRow = Pick<MapTables['map_sources'], 'state' | 'attempted_at' | 'complete_at'>;

async function lockSource(transaction: Database, options: ApplyOptions): Promise<SourceRow> {
  const tables = transaction.withTables<MapTables>();
  const { source } = options.reading;
  await tables
    .insertInto('map_sources')
    .values({ organization_id: options.organizationId, source, state: 'new', warnings: '[]' })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return tables
    .selectFrom('map_sources')
    .select(['state', 'attempted_at', 'complete_at'])
    .where('organization_id', '=', options.organizationId)
    .where('source', '=', source)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

async function applyFailure(
  transaction: Database,
  options: ApplyOptions,
  { source, reading }: { readonly source: SourceRow; readonly reading: FailedReading },
): Promise<Applied> {
  await updateSource(transaction, options, {
    state: 'failing',
    attempted_at: options.startedAt,
    error_code: reading.error.code,
    error_message: reading.error.message,
  });
  if (source.state !== 'failing') await publishSource(transaction, options, 'source.failing');
  return { started: 0, ended: 0, before: source.state };
}

async function applyDeclarations(
  transaction: Database,
  options: ApplyOptions,
  { source, reading }: { readonly source: SourceRow; readonly reading: GoodReading },
): Promise<Applied> {
  const { organizationId, startedAt: now } = options;
  const scope = { organizationId, source: reading.source };
  const { started, ended } = reconcile({
    open: await readOpenIntervals(transaction, scope),
    declarations: reading.declarations,
    complete: reading.complete,
    lastComplete: source.complete_at,
    now,
  });
  await startIntervals(transaction, scope, started);
  await endIntervals(transaction, scope, ended);
  await updateSource(transaction, options, {
    state: reading.complete ? 'ok' : 'partial',
    attempted_at: now,
    ...(reading.complete ? { complete_at: now } : {}),
    error_code: null,
    error_message: null,
    warnings: JSON.stringify(warningsOf(reading)),
  });
  await proposeClients(transaction, { organizationId, now, declarations: reading.declarations });
  if (source.state === 'failing') await publishSource(transaction, options, 'source.recovered');
  const counts = { started: started.length, ended: ended.length };
  if (counts.started + counts.ended > 0) {
    const change = { organizationId, actor: 'system', action: 'map.changed', subject: reading.source };
    await appendAudit(transaction, [{ ...change, details: counts }], now);
    const event = { organizationId, type: 'map.changed', data: { source: reading.source, ...counts } };
    await publish(transaction, [event], now);
  }
  return { ...counts, before: source.state };
}

function warningsOf(reading: GoodReading): readonly SourceWarning[] {
  const rejected = reading.rejections.map((rejection) => ({ kind: 'rejected' as const, ...rejection }));
  const broken = reading.problems.map((message) => ({
    kind: 'broken' as const,
    service: null,
    team: null,
    message,
  }));
  return [...broken, ...rejected];
}

async function updateSource(
  transaction: Database,
  options: ApplyOptions,
  change: Partial<Omit<MapTables['map_sources'], 'organization_id' | 'source'>>,
): Promise<void> {
  await transaction
    .withTables<MapTables>()
    .updateTable('map_sources')
    .set(change)
    .where('organization_id', '=', options.organizationId)
    .where('source', '=', options.reading.source)
    .execute();
}

async function publishSource(
  transaction: Database,
  { organizationId, reading, startedAt }: ApplyOptions,
  type: 'source.failing' | 'source.recovered',
): Promise<void> {
  await publish(transaction, [{ organizationId, type, data: { source: reading.source } }], startedAt);
}
