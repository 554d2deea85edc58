import type { api } from '@habeas/contract';
import { type Clock, type Config, type Database, HabeasError, type Logger } from '../foundation/index.ts';
import { createAnswers } from './create-answers.ts';
import type { DataMap } from './data-map.ts';
import { decideClient } from './decide-client.ts';
import { createGapCommands } from './gap-commands.ts';
import type { KnownClient } from './known-client.ts';
import { createPolling } from './polling.ts';
import { catalogTargets } from './sources/catalog-targets.ts';
import { createWatch } from './watch-map.ts';

export interface CreateMapOptions {
  readonly db: Database;
  readonly clock: Clock;
  /** (Default: default) */
  readonly organizationId?: string;
  readonly config: Pick<Config, 'map' | 'clients' | 'networks' | 'folder' | 'data_types' | 'connections'>;
  readonly logger: Logger;
  /** The category that the name of a data type suggests; somebody has to approve it. (Default: none) */
  readonly suggestCategory?: (dataType: string) => string | undefined;
  /** Called before each answer about a large map. (Default: none) */
  readonly beforeLargeAnswer?: () => void;
}

/** Throws CONFIG_INVALID if the allow-list has an entry that means nothing. */
export function createMap(options: CreateMapOptions): DataMap {
  const { db, clock, config } = options;
  const organizationId = options.organizationId ?? 'default';
  const categories = new Map(Object.entries(config.data_types));
  const categoryOf = (dataType: string) => categories.get(dataType);
  const onStored = createWatch({ ...options, organizationId, watched: () => watched() });
  const polling = createPolling({ ...options, organizationId, categoryOf, onStored });
  const connections = config.connections.map(({ key, service, team }) => ({ service: service ?? key, team }));

  const { clients, allGaps, watched, ...answers } = createAnswers({
    db,
    clock,
    organizationId,
    configured: polling.configured,
    connections,
    categoryOf,
    suggestCategory: options.suggestCategory,
    external: new Set(config.map.external),
    beforeLargeAnswer: options.beforeLargeAnswer,
  });

  return {
    poll: polling.poll,
    backfill: polling.backfill,
    push: polling.push,
    targets: async () =>
      catalogTargets({
        db,
        organizationId,
        pages: config.map.scrape.flatMap(({ url }) => url ?? []),
        clients: await clients(),
      }),
    start: polling.start,
    stop: polling.stop,
    ...answers,
    ...createGapCommands({ db, clock, organizationId, allGaps }),
    listClients: async () => (await clients()).map(clientView),
    async decideClient(decision) {
      await decideClient(db, { ...decision, organizationId, now: clock.now() });
      const client = (await clients()).find(({ id }) => id === decision.id);
      if (client === undefined) throw new HabeasError('NOT_FOUND', `There is no client ${decision.id}.`);
      return clientView(client);
    },
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
    reason: client.reason,
    stale: client.stale,
    first_seen: client.firstSeen.toISOString(),
    last_seen: client.lastSeen.toISOString(),
  };
}
