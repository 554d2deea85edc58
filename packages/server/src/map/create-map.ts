import type { api } from '@habeas/contract';
import {
  type Clock,
  type Config,
  type Database,
  HabeasError,
  type Logger,
  pause,
} from '../foundation/index.ts';
import { answersOf, type MapAnswers } from './answers.ts';
import { applyReading } from './apply-reading.ts';
import { createAllowList } from './client-address.ts';
import { applyAllowList } from './clients.ts';
import type { DataMap, PollReport, SourceReport } from './data-map.ts';
import { decideClient } from './decide-client.ts';
import type { Reading } from './map-source.ts';
import { scrapeAll } from './scrape-all.ts';
import { type KnownClient, loadSnapshot, type MapSnapshot } from './snapshot.ts';
import { sourceName } from './source-name.ts';

export interface CreateMapOptions {
  readonly db: Database;
  readonly clock: Clock;
  /** (Default: default) */
  readonly organizationId?: string;
  readonly config: Pick<Config, 'map' | 'clients' | 'data_types' | 'connections'>;
  readonly logger: Logger;
}

/** Throws CONFIG_INVALID if the allow-list has an entry that means nothing. */
export function createMap(options: CreateMapOptions): DataMap {
  const { db, clock, logger, config } = options;
  const organizationId = options.organizationId ?? 'default';
  const urls = new Map(config.map.scrape.map(({ url }) => [sourceName(url), url]));
  const configured = new Set(urls.keys());
  const allows = createAllowList(config.clients.allow);
  const categories = new Map(Object.entries(config.data_types));
  const connections = config.connections.map(({ key, service, team }) => ({ service: service ?? key, team }));
  let stopping = new AbortController();
  let running: Promise<void> | undefined;

  const snapshot = (): Promise<MapSnapshot> => loadSnapshot(db, { organizationId, configured });
  const answers = async (): Promise<MapAnswers> =>
    answersOf(await snapshot(), { connections, categoryOf: (dataType) => categories.get(dataType) });

  async function poll(signal = new AbortController().signal): Promise<PollReport> {
    const at = clock.now();
    const reports = new Map<string, SourceReport>();
    const onReading = async (reading: Reading, { started }: { readonly started: Date }) => {
      // A reading that was broken off because the server stops says nothing about the source.
      if (!signal.aborted) reports.set(reading.source, await store(reading, started));
    };
    const { prefix, timeout, max_bytes: maxBytes } = config.map;
    const limits = { prefix, timeout, maxBytes, signal };
    await scrapeAll({ ...limits, urls: [...urls.values()], now: () => clock.now(), onReading });
    await applyAllowList(db, { organizationId, allows, now: clock.now() });
    return { at, sources: [...urls.keys()].flatMap((source) => reports.get(source) ?? []) };
  }

  async function store(reading: Reading, startedAt: Date): Promise<SourceReport> {
    const applied = await applyReading(db, { organizationId, reading, startedAt });
    const report = reportOf(reading, applied);
    const { source, state, error } = report;
    if (state === 'failing' && applied.before !== 'failing')
      logger.warn({ source, err: error }, 'Source fails');
    if (state !== 'failing' && applied.before === 'failing') logger.info({ source }, 'Source is back');
    return report;
  }

  async function pollForever(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await poll(signal);
      } catch (error) {
        logger.error({ err: error }, 'The sources of the map could not be read; trying again');
      }
      await pause(config.map.interval, signal);
    }
  }

  return {
    poll: () => poll(),
    start() {
      if (running !== undefined) return;
      stopping = new AbortController();
      running = pollForever(stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
      running = undefined;
    },
    map: async (query = {}) => (await answers()).map(query, clock.now()),
    services: async () => (await answers()).services(),
    gaps: async () => (await answers()).gaps(),
    holders: async (dataType) => (await answers()).holders(dataType),
    systems: async () => (await answers()).systems(),
    listClients: async () => (await snapshot()).clients.map(clientView),
    async decideClient(decision) {
      await decideClient(db, { ...decision, organizationId, now: clock.now() });
      const client = (await snapshot()).clients.find(({ id }) => id === decision.id);
      if (client === undefined) throw new HabeasError('NOT_FOUND', `There is no client ${decision.id}.`);
      return clientView(client);
    },
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

function clientView(client: KnownClient): api.ClientView {
  return {
    id: client.id,
    team: client.team,
    service: client.service ?? null,
    address: client.address,
    protocol: client.protocol,
    state: client.state,
    decided_by: client.decidedBy,
    stale: client.stale,
    first_seen: client.firstSeen.toISOString(),
    last_seen: client.lastSeen.toISOString(),
  };
}
