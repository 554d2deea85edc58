import type { Selectable } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import type { Database } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import { proposeClients } from './clients.ts';
import { endIntervals, readOpenIntervals, startIntervals } from './intervals.ts';
import { type MapLoss, noticeLoss } from './losses.ts';
import type { FailedReading, GoodReading, Reading, SourceKind } from './map-source.ts';
import { type Changes, reconcile } from './reconcile.ts';
import { openAfter, type RememberedSource, type RememberedSources } from './remembered-source.ts';
import type { SourceWarning } from './seen-declaration.ts';
import type { MapTables } from './tables.ts';
import { noticeFlows } from './watch-store.ts';

export interface ApplyOptions {
  readonly organizationId: string;
  readonly reading: Reading;
  /** When the reading began. */
  readonly startedAt: Date;
  /** (Default: scrape) */
  readonly kind?: SourceKind | undefined;
  /** The map tells when it loses more than this many percent of its edges between two polls. (Default: 20) */
  readonly lossPercent?: number | undefined;
  /** The category of a data type: new flows of sensitive ones are told. (Default: none has one) */
  readonly categoryOf?: ((dataType: string) => string | undefined) | undefined;
  /** Of this organization; kept up to date, so that what is stored is read again only when another process changed it. */
  readonly remembered?: RememberedSources | undefined;
}

const LOSS_PERCENT = 20;

/** No reading takes so long: one that seems to have begun before the last stored one by more than this has another clock. */
const LONGEST_READING_MILLISECONDS = 5 * 60_000;

type SourceRow = Pick<
  Selectable<MapTables['map_sources']>,
  'state' | 'attempted_at' | 'complete_at' | 'version'
>;

export interface Applied {
  readonly started: number;
  readonly ended: number;
  /** What the source was before: to tell when it begins to fail, and when it comes back. */
  readonly before: SourceRow['state'];
  /** Too much of the map went; told once. */
  readonly loss?: MapLoss | undefined;
  /** The clock is far behind the one by which this source was read last; a sentence that names the source. */
  readonly clockProblem?: string | undefined;
}

/**
 * Stores what one reading changed, in one transaction. Servers that read the same source take turns at its row, and a
 * reading that began before the last stored one changes nothing: it is older news. Unless it is older than any reading
 * can be; then a clock went back, and the reading counts, but ends nothing.
 */
export async function applyReading(db: Database, options: ApplyOptions): Promise<Applied> {
  const {
    remembered,
    reading: { source: name },
  } = options;
  const { stored, ...applied } = await db.transaction().execute(async (transaction): Promise<Stored> => {
    const source = await lockSource(transaction, options);
    const behind = (source.attempted_at?.getTime() ?? 0) - options.startedAt.getTime();
    if (behind > 0 && behind <= LONGEST_READING_MILLISECONDS) {
      return { started: 0, ended: 0, before: source.state };
    }
    const { reading } = options;
    if (reading.state === 'failed') return applyFailure(transaction, options, { source, reading });
    if (behind <= 0) return applyDeclarations(transaction, options, { source, reading });
    const clockProblem = describeClock(reading.source, behind);
    const problems = [...reading.problems, clockProblem];
    const careful = { ...reading, complete: false, problems };
    return {
      ...(await applyDeclarations(transaction, options, { source, reading: careful })),
      clockProblem,
    };
  });
  // Only now: what was rolled back is not stored.
  if (stored !== undefined) remembered?.set(name, stored);
  return applied;
}

interface Stored extends Applied {
  readonly stored?: RememberedSource;
}

function describeClock(source: string, behind: number): string {
  const minutes = Math.round(behind / 60_000);
  return `${source} was read last at a time that is ${minutes} minutes ahead of this server's clock: a clock was wrong then, is wrong now, or differs between servers. This reading ended nothing in the map. Synchronize the clocks.`;
}

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
    .select(['state', 'attempted_at', 'complete_at', 'version'])
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
): Promise<Stored> {
  const { organizationId, startedAt: now } = options;
  const scope = { organizationId, source: reading.source };
  const before = source.complete_at;
  const known = options.remembered?.get(reading.source);
  const isKnown = known?.version === source.version;
  const { declarations, complete } = reading;
  const open = isKnown ? known.open : await readOpenIntervals(transaction, scope);
  const isStored = isKnown && known.declarations === declarations;
  const changes: Changes = isStored
    ? { started: [], ended: [] }
    : reconcile({ open, declarations, complete, lastComplete: before, now });
  const { started, ended } = changes;
  await startIntervals(transaction, scope, started);
  const { categoryOf } = options;
  if (categoryOf !== undefined) await noticeFlows(transaction, { ...scope, started, categoryOf });
  const { lost, loss } = await noticeLoss(transaction, {
    ...scope,
    now,
    since: before,
    ended: await endIntervals(transaction, scope, ended),
    percent: options.lossPercent ?? LOSS_PERCENT,
  });
  const version = await updateSource(transaction, options, {
    ...(lost > 0 ? { lost, lost_at: now } : {}),
    state: reading.complete ? 'ok' : 'partial',
    attempted_at: now,
    // Never ahead of the clock that counts from now on.
    ...(reading.complete || (before !== null && before > now) ? { complete_at: now } : {}),
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
  const stored = {
    version,
    open: openAfter(open, changes),
    declarations: complete ? declarations : undefined,
  };
  return { ...counts, before: source.state, loss, stored };
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

/** Gives the version that the source has then. */
async function updateSource(
  transaction: Database,
  options: ApplyOptions,
  change: Partial<Omit<Selectable<MapTables['map_sources']>, 'organization_id' | 'source'>>,
): Promise<number> {
  const { version } = await transaction
    .withTables<MapTables>()
    .updateTable('map_sources')
    .set({ ...change, kind: options.kind ?? 'scrape' })
    .where('organization_id', '=', options.organizationId)
    .where('source', '=', options.reading.source)
    .returning('version')
    .executeTakeFirstOrThrow();
  return version;
}

async function publishSource(
  transaction: Database,
  { organizationId, reading, startedAt }: ApplyOptions,
  type: 'source.failing' | 'source.recovered',
): Promise<void> {
  await publish(transaction, [{ organizationId, type, data: { source: reading.source } }], startedAt);
}
