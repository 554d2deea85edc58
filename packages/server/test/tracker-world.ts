import { Writable } from 'node:stream';
import { signStandardWebhook } from '../src/access/index.ts';
import { auditMigrations } from '../src/audit/index.ts';
import { createLogger, newSecretKey, parseConfig, systemClock } from '../src/foundation/index.ts';
import { createEventFeed, createNotifications, notifyMigrations } from '../src/notify/index.ts';
import { loadPolicy } from '../src/policy/index.ts';
import {
  type Caller,
  createRequests,
  createTrackers,
  type Requests,
  requestMigrations,
} from '../src/requests/index.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { memorySystems } from './memory-system.ts';
import { serveApplication } from './serve-application.ts';

const organizationId = 'acme';
export const caller: Caller = { organizationId, actor: 'key:key_1' };

/** A server whose systems all need a person: tickets of `data` for `analytics`, in the tracker, and of `post` for `letters`, in none. */
export interface TrackerWorld extends AsyncDisposable {
  readonly requests: Requests;
  readonly database: TestDatabase;
  /** Where trackers report to. */
  readonly reports: string;
  /** Everything that was logged. */
  readonly log: string[];
  receive(right?: 'access' | 'erasure'): Promise<string>;
  ticketOf(
    requestId: string,
    system?: string,
  ): Promise<Awaited<ReturnType<Requests['listTickets']>>['items'][number]>;
  isIn(requestId: string, state: string): Promise<boolean>;
}

/** What `habeas.yaml` has under `trackers`, for the tracker `board` of the team `data`. */
export async function openTrackerWorld(tracker: object): Promise<TrackerWorld> {
  const database = await createTestDatabase({
    ...auditMigrations,
    ...notifyMigrations,
    ...requestMigrations,
  });
  const trackers = [{ name: 'board', teams: ['data'], interval: '50ms', ...tracker }];
  const config = parseConfig({
    text: JSON.stringify({ trackers, networks: { allow_private: ['127.0.0.1'] } }),
    file: 'habeas.yaml',
    environment: {},
  });
  const log: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const logger = createLogger({ level: 'info', destination });
  const { db, pool, url } = database;
  const requests = createRequests({
    db,
    databaseUrl: url,
    organizationId,
    systems: memorySystems(
      [],
      [
        { key: 'analytics', team: 'data' },
        { key: 'letters', team: 'post' },
      ],
    ),
    policy: loadPolicy(undefined),
    masterKey: newSecretKey(),
    clock: systemClock,
    logger,
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    proveEntry: async () => undefined,
    callback: (taskId) => ({ url: `http://127.0.0.1/${taskId}`, secret: 'secret' }),
    verifyCallback: () => new Date(),
    reconcileMilliseconds: 50,
  });
  const made = createTrackers({
    config,
    organizationId,
    db,
    clock: systemClock,
    logger,
    requests,
    publicUrl: 'https://habeas.acme.example',
  });
  const feed = createEventFeed({ db, pool, logger });
  const notifications = createNotifications({
    db,
    pool,
    organizationId,
    config,
    feed,
    programs: made.receivers,
    sign: signStandardWebhook,
    clock: systemClock,
    logger,
    retry: { firstMilliseconds: 20, longestMilliseconds: 100 },
    tryMilliseconds: 50,
  });
  const habeas = await serveApplication({ db, requests, trackers: made });
  await notifications.start();
  made.start();
  await requests.start();
  const ticketOf: TrackerWorld['ticketOf'] = async (requestId, system = 'analytics') => {
    const { items } = await requests.listTickets(caller, { limit: 50 });
    const found = items.find((ticket) => ticket.request_id === requestId && ticket.system === system);
    if (found === undefined) throw new Error(`There is no ticket of ${system}.`);
    return found;
  };
  return {
    requests,
    database,
    reports: `${habeas.url}/api/v1/trackers/board:report`,
    log,
    async receive(right = 'erasure') {
      const { request } = await requests.receive(caller, {
        right,
        identities: [{ type: 'email', value: 'ada@example.org' }],
        dryRun: false,
      });
      return request.id;
    },
    ticketOf,
    isIn: async (requestId, state) => (await ticketOf(requestId)).state === state,
    async [Symbol.asyncDispose]() {
      await notifications.stop();
      await made.stop();
      await feed.close();
      await requests.stop();
      await habeas.close();
      await database.close();
    },
  };
}
