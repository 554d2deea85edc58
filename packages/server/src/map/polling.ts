import {
  type Clock,
  type Config,
  type Database,
  HabeasError,
  type Logger,
  pause,
} from '../foundation/index.ts';
import { type Applied, applyReading } from './apply-reading.ts';
import { createAllowList } from './client-address.ts';
import { applyAllowList } from './clients.ts';
import type { PollReport, SourceReport } from './data-map.ts';
import type { MapSource, Reading, SourceKind } from './map-source.ts';
import type { RememberedSources } from './remembered-source.ts';
import { createSources } from './sources/create-sources.ts';
import { FILE_SOURCE } from './sources/file-source.ts';
import { createPushes, type Push } from './sources/pushes.ts';
import { readAll } from './sources/read-all.ts';
import type { MapTables } from './tables.ts';

export interface PollingOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly organizationId: string;
  readonly config: Pick<Config, 'map' | 'clients' | 'networks' | 'folder'>;
  readonly logger: Logger;
  /** The category of a data type: new flows of sensitive ones are noticed. */
  readonly categoryOf?: (dataType: string) => string | undefined;
  /** Called when all that was read is stored, and clients are as the allow-list says. Never throws. */
  readonly onStored?: () => Promise<void>;
}

/** Reads sources, again and again, and stores what changed. */
export interface Polling {
  poll(): Promise<PollReport>;
  /** Reads all of the history that is left to be read. */
  backfill(): Promise<void>;
  push(push: Push): Promise<SourceReport>;
  start(): void;
  stop(): Promise<void>;
  /** Names of the sources of the configuration, and of the jobs that pushed. */
  configured(): ReadonlySet<string>;
}

/** Throws CONFIG_INVALID if two sources have one name, or the allow-list has an entry that means nothing. */
export function createPolling(options: PollingOptions): Polling {
  const { db, clock, organizationId, config, logger } = options;
  const { all, backfills } = createSources(options);
  const pushes = createPushes(db, organizationId);
  const kinds = new Map<string, SourceKind>(all.map(({ name, kind }) => [name, kind]));
  const remembered: RememberedSources = new Map();
  const allows = createAllowList(config.clients.allow);
  let pushed: readonly string[] = [];
  let stopping = new AbortController();
  let running: Promise<unknown> | undefined;

  async function poll(signal: AbortSignal): Promise<PollReport> {
    const at = clock.now();
    const reports = new Map<string, SourceReport>();
    const expired = await pushes.expired(at);
    const sources = [...(await withoutEmptyFile(all)), ...expired];
    await readAll({
      sources,
      signal,
      now: () => clock.now(),
      async onReading(reading, { started }) {
        // A reading that was broken off because the server stops says nothing about the source.
        if (!signal.aborted) reports.set(reading.source, await store(reading, started));
      },
    });
    if (!signal.aborted) for (const { name } of expired) await pushes.forget(name, at);
    pushed = await pushes.names();
    await applyAllowList(db, { organizationId, allows, now: clock.now() });
    if (!signal.aborted) await options.onStored?.();
    return { at, sources: sources.flatMap(({ name }) => reports.get(name) ?? []) };
  }

  /** A list without entries is a source only as long as something is left of the entries that it had. */
  async function withoutEmptyFile(sources: readonly MapSource[]): Promise<readonly MapSource[]> {
    if (config.map.declarations.length > 0) return sources;
    const row = await db
      .withTables<MapTables>()
      .selectFrom('map_sources')
      .select('source')
      .where('organization_id', '=', organizationId)
      .where('source', '=', FILE_SOURCE)
      .executeTakeFirst();
    return row === undefined ? sources.filter(({ name }) => name !== FILE_SOURCE) : sources;
  }

  async function store(reading: Reading, startedAt: Date): Promise<SourceReport> {
    const kind = kinds.get(reading.source) ?? 'push';
    const lossPercent = config.map.alert_loss_percent;
    const { categoryOf } = options;
    const applied = await applyReading(db, {
      organizationId,
      reading,
      startedAt,
      kind,
      lossPercent,
      categoryOf,
      remembered,
    });
    const report = reportOf(reading, applied);
    tell(report, applied);
    return report;
  }

  function tell({ source, state, error }: SourceReport, applied: Applied): void {
    if (state === 'failing' && applied.before !== 'failing') {
      logger.warn({ source, code: error?.code, reason: error?.message }, 'Source fails');
    }
    if (applied.clockProblem !== undefined) logger.warn({ source }, applied.clockProblem);
    if (applied.loss !== undefined) {
      const { lost, edges, sources } = applied.loss;
      logger.warn({ lost, edges, sources }, 'The map lost many of its flows and stores between two polls');
    }
    if (state !== 'failing' && applied.before === 'failing') logger.info({ source }, 'Source is back');
  }

  /** Each history until it ends or fails; a day that failed is tried again after the next poll. */
  async function backfill(signal: AbortSignal): Promise<void> {
    for (const { source, step } of backfills) {
      try {
        for (let result = 'more'; result === 'more' && !signal.aborted; ) result = await step(signal);
      } catch (error) {
        const known = HabeasError.from(error);
        if (!signal.aborted) {
          logger.warn(
            { source, code: known.code, reason: known.message },
            'History could not be read; trying again',
          );
        }
      }
    }
  }

  async function forever(
    work: (signal: AbortSignal) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        await work(signal);
      } catch (error) {
        logger.error({ err: error }, 'The sources of the map could not be read; trying again');
      }
      await pause(config.map.interval, signal);
    }
  }

  return {
    poll: () => poll(new AbortController().signal),
    backfill: () => backfill(new AbortController().signal),
    async push(push) {
      const now = clock.now();
      const report = await store(await pushes.accept(push, now), now);
      pushed = await pushes.names();
      await options.onStored?.();
      return report;
    },
    start() {
      if (running !== undefined) return;
      stopping = new AbortController();
      const { signal } = stopping;
      const histories = backfills.length === 0 ? undefined : forever(backfill, signal);
      running = Promise.all([forever(poll, signal), histories]);
    },
    async stop() {
      stopping.abort();
      await running;
      running = undefined;
    },
    configured: () => new Set([...all.map(({ name }) => name), ...pushed]),
  };
}

function reportOf(
  reading: Reading,
  applied: { readonly started: number; readonly ended: number },
): SourceReport {
  const { source } = reading;
  if (reading.state === 'failed') {
    const { code, message } = reading.error;
    const nothing = { declarations: 0, started: 0, ended: 0, warnings: [] };
    return { source, state: 'failing', ...nothing, error: { code, message } };
  }
  return {
    source,
    state: reading.complete ? 'ok' : 'partial',
    declarations: reading.declarations.length,
    started: applied.started,
    ended: applied.ended,
    error: null,
    warnings: [...reading.problems, ...reading.rejections.map((rejection) => rejection.message)],
  };
}
