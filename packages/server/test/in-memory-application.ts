import { api } from '@habeas/contract';
import type { ApiKeys } from '../src/access/index.ts';
import type { AuditLog } from '../src/audit/index.ts';
import { createCatalog } from '../src/catalog/index.ts';
import { createSqlEnforcer } from '../src/consent/index.ts';
import {
  createLogger,
  type Database,
  fixedClock,
  HabeasError,
  type Logger,
  loadConfig,
} from '../src/foundation/index.ts';
import type { Application } from '../src/http/index.ts';
import { createMapExports, type DataMap } from '../src/map/index.ts';
import { type EventFeed, packageTextsFromConfig, type StoredEvent } from '../src/notify/index.ts';
import { loadPolicy } from '../src/policy/index.ts';
import { EMPTY_MAP } from './empty-map.ts';
import { type InMemoryRequests, inMemoryRequests } from './in-memory-requests.ts';
import { testAuditLog } from './log-key.ts';

export const TEST_KEY = 'test-key-of-acme';
export const OTHER_KEY = 'test-key-of-another-organization';
/** May do what `allow` said last; at first nothing. */
export const LESSER_KEY = 'test-key-that-may-do-less';
export const TEST_ORGANIZATION = 'acme';
export const TEST_PUBLIC_KEY = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';

export interface InMemoryApplication extends Application {
  readonly requests: InMemoryRequests;
  readonly auditLog: AuditLog;
  /** Adds an event to the feed and wakes its subscribers. */
  publish(event: Omit<StoredEvent, 'sequence' | 'id' | 'at'>): void;
  /** What the lesser key may do from now on. */
  allow(scopes: readonly api.Scope[]): void;
  /** How many subscriptions are open. */
  subscribers(): number;
}

export interface InMemoryApplicationOptions {
  readonly db: Database;
  /** (Default: a silent one) */
  readonly logger?: Logger;
  /** (Default: an in-memory map with one service, one gap and one client) */
  readonly map?: DataMap;
}

const noLink = async (): Promise<never> => {
  throw new HabeasError('NOT_FOUND', 'There is no link.');
};

const noTracker = async (): Promise<never> => {
  throw new HabeasError('NOT_FOUND', 'There is no tracker.');
};

const NO_CONSENT: Application['consent'] = {
  purposes: [],
  record: async (_, signals) =>
    signals.map(({ event_id }) => ({ event_id, state: 'stored', code: null, reason: null })),
  join: async () => undefined,
  noteChoice: async () => undefined,
  has: async () => false,
  history: async () => ({ subject: undefined, items: [] }),
  held: async () => [],
  importRows: async () => ({ rows: 0, stored: 0, repeated: 0, checked: 0, refused: [] }),
  read: async () => ({ as_of: '2026-03-01T12:00:00.000Z', purposes: [] }),
};

const noRun = async (): Promise<never> => {
  throw new HabeasError('NOT_FOUND', 'There are no jobs in this test.');
};
const NO_RECEIPTS: Application['consentReceipts'] = {
  issue: async () => {
    throw new HabeasError('NOT_FOUND', 'There is no receipt.');
  },
};

const NO_JOBS: Application['jobRuns'] = { record: noRun, receipt: noRun, list: async () => [] };

const NO_TAG: Application['consentTag'] = {
  origins: new Set(),
  notice: () => {
    throw new HabeasError('NOT_FOUND', 'There are no purposes.');
  },
  choose: async () => {
    throw new HabeasError('NOT_FOUND', 'There are no purposes.');
  },
};

const NO_LINKS: Application['packageLinks'] = {
  create: noLink,
  revoke: async () => 0,
  sendCode: noLink,
  open: noLink,
  package: noLink,
  begin: noLink,
  arrived: noLink,
};

/** An application for tests of the faces: the rooms behind them keep what they are given and do nothing by themselves. */
export function inMemoryApplication(options: InMemoryApplicationOptions): InMemoryApplication {
  const feed = inMemoryFeed();
  const map = options.map ?? inMemoryMap();
  let allowed: ReadonlySet<api.Scope> = new Set();
  return {
    organizationId: TEST_ORGANIZATION,
    db: options.db,
    clock: fixedClock('2026-03-01T12:00:00Z'),
    logger: options.logger ?? createLogger({ level: 'silent' }),
    requests: inMemoryRequests(),
    packageLinks: NO_LINKS,
    packageTexts: packageTextsFromConfig(loadConfig({ environment: {} }), {
      organizationId: TEST_ORGANIZATION,
      sender: undefined,
    }),
    trackers: { report: noTracker },
    policy: loadPolicy(undefined),
    consent: NO_CONSENT,
    consentTag: NO_TAG,
    jobRuns: NO_JOBS,
    sqlEnforcer: createSqlEnforcer({ targets: [] }),
    consentNotices: {
      get: async () => {
        throw new HabeasError('NOT_FOUND', 'There is no notice.');
      },
      gpc: async () => undefined,
    },
    consentExports: {
      open: async () => {
        throw new HabeasError('NOT_FOUND', 'There is no purpose.');
      },
      manifest: async () => {
        throw new HabeasError('NOT_FOUND', 'There is no export.');
      },
    },
    consentReceipts: NO_RECEIPTS,
    propagation: {
      list: async () => [],
      messages: async () => [],
      retry: async () => 0,
      acknowledge: async () => 0,
    },
    consentTargets: {
      statuses: () => [
        { target: 'shop-db', exactAt: new Date('2026-01-01T00:00:00Z'), drift: 2, error: undefined },
      ],
    },
    map,
    mapExports: createMapExports({
      map,
      clock: fixedClock('2026-03-01T12:00:00Z'),
      organizationId: TEST_ORGANIZATION,
      product: 'habeas 0.0.0-test',
      jobs: async () => [],
      record: () => undefined,
    }),
    catalog: createCatalog({ systems: [], map }),
    connections: {
      list: () => [CONNECTION],
      check: async (key) => {
        if (key !== CONNECTION.key) throw new HabeasError('NOT_FOUND', `There is no connection "${key}".`);
        return { ok: true, message: 'Reached.', problems: [] };
      },
    },
    auditLog: testAuditLog({ db: options.db, organizationId: TEST_ORGANIZATION }),
    keys: inMemoryKeys(),
    partners: inMemoryPartners(),
    imports: { importRows: async () => ({ rows: [], unread_from: null }) },
    feed,
    webhooks: {
      list: async () => [],
      deadLetters: async () => [],
      replay: async () => 0,
      enable: async () => undefined,
    },
    ownMetrics: '',
    publicUrl: 'http://127.0.0.1:7311',
    intakePage: undefined,
    trustedProxies: ['127.0.0.1'],
    allow(scopes) {
      allowed = new Set(scopes);
    },
    publish: feed.publish,
    subscribers: feed.subscribers,
    authenticate: async (key) => {
      if (key === TEST_KEY) {
        return { ...EVERYTHING, organizationId: TEST_ORGANIZATION, actor: 'key:key_test' };
      }
      if (key === LESSER_KEY)
        return { organizationId: TEST_ORGANIZATION, actor: 'key:key_lesser', scopes: allowed, teams: null };
      if (key === OTHER_KEY) return { ...EVERYTHING, organizationId: 'other', actor: 'key:key_other' };
      return undefined;
    },
    sessions: noSessions(),
    members: noMembers(),
    memberSignIn: undefined,
    portal: undefined,
    contactProofs: undefined,
    publicKeys: async () => [TEST_PUBLIC_KEY],
  };
}

const EVERYTHING = { scopes: new Set(api.ALL_SCOPES), teams: null };

/** No partners, and no protocol of theirs. */
function inMemoryPartners(): Application['partners'] {
  const unknown = async () => {
    throw new HabeasError('NOT_FOUND', 'There is no partner with this id.');
  };
  return {
    registry: {
      list: async () => [],
      registerController: unknown,
      registerAgents: async () => [],
      syncDirectory: async () => ({ added: 0, changed: 0, revoked: 0 }),
      allowCallbacks: unknown,
      revoke: unknown,
      authenticate: async () => undefined,
      agent: async () => undefined,
    },
    openDsr: undefined,
    drp: undefined,
  };
}

const AT = '2026-03-01T12:00:00.000Z';

const CONNECTION: api.ConnectionView = {
  key: 'shop',
  kind: 'postgres',
  service: 'orders',
  team: 'shop',
  datasets: ['shop'],
  capabilities: ['collect', 'erase', 'verify'],
};

const SERVICE: api.ServiceView = {
  name: 'orders',
  team: 'shop',
  external: false,
  stores: ['email'],
  first_seen: AT,
  last_seen: AT,
  answered_by: 'connection',
};

function inMemoryMap(): DataMap {
  const stamp = { at: AT, as_of: AT, filter: {} };
  let gap: api.GapView = {
    id: 'gap_1',
    client: null,
    proposed_category: null,
    decision: null,
    kind: 'team-without-client',
    service: 'analytics',
    team: 'data',
    data_type: null,
    message: 'Team data has no client.',
  };
  let client: api.ClientView = {
    id: 'cli_1',
    team: 'growth',
    service: 'mailer',
    address: '127.0.0.1:1338',
    protocol: 'http',
    state: 'proposed',
    decided_by: null,
    reason: null,
    stale: false,
    first_seen: AT,
    last_seen: AT,
  };
  const mapOf: DataMap['map'] = async (query) => ({
    ...EMPTY_MAP,
    counts: { ...EMPTY_MAP.counts, services: 1, gaps: 1 },
    services: query?.team === undefined || query.team === SERVICE.team ? [SERVICE] : [],
    flows: [],
    stores: [],
    gaps: [gap],
  });
  const decideGap = (
    { id, actor, reason }: { readonly id: string; readonly actor: string; readonly reason: string },
    decision: 'approved' | 'rejected' | undefined,
  ) => {
    if (id !== gap.id) throw new HabeasError('NOT_FOUND', 'There is no gap with this id.');
    const decided = decision && {
      decision,
      category: null,
      reason,
      decided_by: actor,
      decided_at: AT,
    };
    gap = { ...gap, decision: decided ?? null };
    return gap;
  };
  return {
    poll: async () => ({ at: new Date(AT), sources: [] }),
    backfill: async () => undefined,
    targets: async () => [{ targets: ['127.0.0.1:9464'], labels: { team: 'growth' } }],
    push: async ({ job, services }) => ({
      source: `push:${job}`,
      state: 'ok',
      declarations: services.length,
      started: services.length,
      ended: 0,
      error: null,
      warnings: [],
    }),
    start: () => undefined,
    stop: async () => undefined,
    map: mapOf,
    mapJson: async (query) => ({
      bytes: Buffer.from(JSON.stringify(await mapOf(query))),
      release: () => undefined,
    }),
    changesJson: async () => ({
      bytes: Buffer.from(
        JSON.stringify({
          ...stamp,
          counts: { added: 0, removed: 0, changed: 0 },
          changes: { from: AT, to: AT, added: [], removed: [], changed: [] },
        }),
      ),
      release: () => undefined,
    }),
    services: async () => [SERVICE],
    gaps: async () => [gap],
    gapList: async () => ({ ...stamp, counts: { gaps: 1 }, items: [gap] }),
    reach: async (direction, { service }) => ({
      ...stamp,
      service,
      direction,
      counts: { services: 0, teams: 0, data_types: 0, flows: 0 },
      reached: [],
      flows: [],
    }),
    paths: async ({ from, to, max_hops, limit }) => ({
      ...stamp,
      from,
      to,
      max_hops,
      limit,
      truncated: false,
      counts: { paths: 0, services: 0, data_types: 0 },
      paths: [],
    }),
    impact: async ({ service }) => ({
      ...stamp,
      service,
      teams: [SERVICE.team ?? ''],
      external: false,
      counts: { categories: 0, data_types: 0, services: 1, teams: 1 },
      data: [],
      categories: [],
      upstream: [],
      downstream: [],
      call: [{ team: SERVICE.team, services: [service], because: ['owner'], clients: [] }],
    }),
    impacts: async () => ({ ...stamp, counts: { services: 0 }, items: [] }),
    holders: async (dataType) => ({
      data_type: dataType,
      holders: dataType === 'email' ? [{ service: 'orders', team: 'shop' }] : [],
      movers: [],
    }),
    approveGap: async (options) => decideGap(options, 'approved'),
    rejectGap: async (options) => decideGap(options, 'rejected'),
    reopenGap: async (options) => decideGap(options, undefined),
    listClients: async () => [client],
    decideClient: async ({ id, decision, actor }) => {
      if (id !== client.id) throw new HabeasError('NOT_FOUND', 'There is no client with this id.');
      client = { ...client, state: decision, decided_by: actor };
      return client;
    },
    systems: async () => [],
  };
}

/** Nobody ever signs in. */
function noSessions(): Application['sessions'] {
  const refuse = async (): Promise<never> => {
    throw new HabeasError('UNAUTHENTICATED', 'Nobody signs in here.');
  };
  return {
    start: refuse,
    startFor: refuse,
    authenticate: async () => undefined,
    confirm: refuse,
    confirmFor: refuse,
    end: refuse,
  };
}

function noMembers(): Application['members'] {
  const unknown = async (): Promise<never> => {
    throw new HabeasError('NOT_FOUND', 'There is no member with this id.');
  };
  return { list: async () => [], invite: unknown, change: unknown, remove: unknown, signIn: unknown };
}

function inMemoryKeys(): ApiKeys {
  let items: readonly api.ApiKeyView[] = [];
  return {
    list: async () => items,
    create: async ({ name, actor, expiresAt, scopes, teams }) => {
      const made: api.ApiKeyView = {
        id: `key_${items.length + 1}`,
        name,
        scopes: [...scopes],
        teams: teams?.slice() ?? null,
        created_at: AT,
        created_by: actor,
        expires_at: expiresAt?.toISOString() ?? null,
        revoked_at: null,
      };
      items = [made, ...items];
      return { ...made, key: `habeas_${made.id}` };
    },
    revoke: async ({ id }) => {
      const key = items.find((candidate) => candidate.id === id);
      if (key === undefined) throw new HabeasError('NOT_FOUND', 'There is no API key with this id.');
      const revoked = { ...key, revoked_at: AT };
      items = items.map((candidate) => (candidate.id === id ? revoked : candidate));
      return revoked;
    },
  };
}

interface InMemoryFeed extends EventFeed {
  publish: InMemoryApplication['publish'];
  subscribers(): number;
}

function inMemoryFeed(): InMemoryFeed {
  const events: StoredEvent[] = [];
  let woken = Promise.withResolvers<void>();
  let open = 0;
  return {
    list: async ({ organizationId, requestId, after, limit }) =>
      events
        .filter(
          (event) =>
            event.organizationId === organizationId &&
            event.requestId === requestId &&
            event.sequence > after,
        )
        .slice(0, limit),
    publish(event) {
      const sequence = events.length + 1;
      events.push({ ...event, sequence, id: `evt_${sequence}`, at: new Date(AT) });
      woken.resolve();
      woken = Promise.withResolvers();
    },
    subscribers: () => open,
    close: async () => undefined,
    async *subscribe({ organizationId, requestId, after, signal }) {
      let position = after ?? events.length;
      open += 1;
      try {
        while (!signal.aborted) {
          const wait = woken.promise;
          for (const event of events.slice(position)) {
            position = event.sequence;
            if (event.organizationId !== organizationId) continue;
            if (requestId === undefined || event.requestId === requestId) yield event;
          }
          const ended = Promise.withResolvers<void>();
          const end = () => ended.resolve();
          signal.addEventListener('abort', end, { once: true });
          if (position === events.length && !signal.aborted) await Promise.race([wait, ended.promise]);
          signal.removeEventListener('abort', end);
        }
      } finally {
        open -= 1;
      }
    },
  };
}
