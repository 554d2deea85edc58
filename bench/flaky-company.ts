import { createSigner } from '../packages/server/src/access/index.ts';
import { createAuditLog } from '../packages/server/src/audit/index.ts';
import type { PlannableSystem, Systems } from '../packages/server/src/connectors/index.ts';
import {
  type Clock,
  createLogger,
  HabeasError,
  migrate,
  newSecretKey,
  openDatabase,
} from '../packages/server/src/foundation/index.ts';
import { migrations } from '../packages/server/src/main.ts';
import { loadPolicy } from '../packages/server/src/policy/index.ts';
import {
  type Caller,
  createRequests,
  DEFAULT_RETRY,
  type Requests,
} from '../packages/server/src/requests/index.ts';
import type { FlakySystem } from './flaky-system.ts';

export const caller: Caller = { organizationId: 'acme', actor: 'key:bench' };

const CONNECTIONS = 16;

/** The requests of a company whose systems fail: the real room on a real database, with a clock and systems of the benchmark's own. */
export interface FlakyCompany {
  /** Rows of a statement in Habeas' own tables. */
  query<Row>(text: string): Promise<readonly Row[]>;
  readonly requests: Requests;
  report(taskId: string, times: 1 | 2): void;
  /** Reports that were not taken, as text. */
  readonly refused: readonly string[];
  stop(): Promise<void>;
}

export async function openFlakyCompany(options: {
  readonly databaseUrl: string;
  readonly clock: Clock;
  readonly systems: readonly FlakySystem[];
  readonly keys: readonly string[];
  readonly random: () => number;
  /** (Default: 1 second) */
  readonly reconcileMilliseconds?: number;
}): Promise<FlakyCompany> {
  const { clock, databaseUrl } = options;
  const opened = openDatabase({ url: databaseUrl, connections: CONNECTIONS });
  await migrate(opened.db, migrations);
  const masterKey = newSecretKey();
  const signer = createSigner({ db: opened.db, organizationId: caller.organizationId, masterKey, clock });
  const logger = createLogger({ level: 'error' });
  const auditLog = createAuditLog({
    db: opened.db,
    organizationId: caller.organizationId,
    origin: 'bench.example/acme',
    clock,
    logger,
    sign: (bytes) => signer.signBytes(bytes),
    publicKeys: async () => (await signer.publicKeys()).map((key) => Buffer.from(key, 'base64url')),
  });
  const publicKey = { ...(await signer.publicJwk()) };
  const requests = createRequests({
    db: opened.db,
    organizationId: caller.organizationId,
    databaseUrl,
    systems: systemsOf(options.systems, options.keys),
    policy: loadPolicy(undefined),
    masterKey,
    clock,
    random: options.random,
    logger,
    retry: DEFAULT_RETRY,
    sign: async (_, payload) => ({ signature: await signer.signDetached(payload), publicKey }),
    proveEntry: (sequence) => auditLog.proveNow(sequence),
    callback: (taskId) => ({ url: `http://127.0.0.1/${taskId}`, secret: 'of the benchmark' }),
    verifyCallback: () => clock.now(),
    ...(options.reconcileMilliseconds === undefined
      ? {}
      : { reconcileMilliseconds: options.reconcileMilliseconds }),
  });
  await requests.start();
  const refused: string[] = [];
  return {
    query: async (text) => (await opened.pool.query(text)).rows,
    requests,
    refused,
    report(taskId, times) {
      for (let time = 0; time < times; time += 1)
        requests
          .systemCallback({ taskId, headers: {}, body: Buffer.alloc(0) })
          .catch((error: unknown) => refused.push(String(error)));
    },
    async stop() {
      await requests.stop();
      await opened.close();
    },
  };
}

function systemsOf(systems: readonly FlakySystem[], keys: readonly string[]): Systems {
  const byKey = new Map(systems.map((system, index) => [keys[index] ?? '', system]));
  return {
    sweep: async () => undefined,
    plannable: async () =>
      [...byKey].map(
        ([key, system]): PlannableSystem => ({
          key,
          team: `team-${key}`,
          by: 'connection',
          capabilities: system.capabilities,
          needs: ['email'],
          resolves: [],
          dataTypes: ['email'],
        }),
      ),
    blindSpots: async () => [],
    async connector(key) {
      const system = byKey.get(key);
      if (system === undefined) throw new HabeasError('ADDRESS_NOT_APPROVED', `nothing answers for ${key}`);
      return system;
    },
    concurrency: () => 16,
    close: async () => undefined,
  };
}
