import type { Systems } from '../connectors/index.ts';
import type { Clock, Database, Logger, SecretKey } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import { type Pump, startPump } from './pump.ts';
import { createReconciler } from './reconcile.ts';
import type { RequestTables } from './tables.ts';
import { queueName, type TaskQueue } from './task-queue.ts';
import type { Transitions } from './transitions.ts';
import { createWorker } from './worker.ts';
import { createWorkerSession } from './worker-session.ts';

export interface FleetOptions {
  /** Whose requests these workers work on: they know the systems of no other. */
  readonly organizationId: string;
  readonly db: Database;
  readonly databaseUrl: string;
  readonly queue: TaskQueue;
  readonly transitions: Transitions;
  readonly systems: Systems;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly taskTimeoutMilliseconds: number;
  readonly packageExpiresMilliseconds: number;
  readonly callback: (taskId: string) => { readonly url: string; readonly secret: string };
  readonly planReceived: (ref: RequestRef) => Promise<void>;
  /** (Default: 1 second) */
  readonly reconcileMilliseconds?: number;
}

const RECONCILE_MILLISECONDS = 1_000;
/** Running tasks may end in this time when the server stops; then they are aborted and go back to the queue. */
const GRACE_MILLISECONDS = 5_000;

/** The workers of this process: one pump per system, one life line, one reconciler. */
export interface Fleet {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createFleet(options: FleetOptions): Fleet {
  const pumps = new Map<string, Pump>();
  const starting = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let stopped = false;

  const session = createWorkerSession({
    databaseUrl: options.databaseUrl,
    organizationId: options.organizationId,
    logger: options.logger,
    onJob: (system) => {
      const pump = pumps.get(queueName(options.organizationId, system));
      if (pump !== undefined) pump.wake();
      else
        startPumpFor(system).catch((error: unknown) =>
          options.logger.warn({ err: error }, 'a queue could not be opened; it is tried again'),
        );
    },
    onConnected: () => {
      for (const pump of pumps.values()) pump.wake();
    },
  });
  const worker = createWorker({ ...options, worker: session.worker });
  const reconcile = createReconciler({
    ...options,
    plan: options.planReceived,
    worker: { id: session.worker, inHand: () => worker.inHand() },
  });

  const startPumpFor = (system: string | null): Promise<void> => {
    const name = queueName(options.organizationId, system);
    const known = starting.get(name);
    if (known !== undefined) return known;
    const start = options.queue.ensure(options.organizationId, system).then(() => {
      if (stopped) return;
      const concurrency = options.systems.concurrency(system);
      pumps.set(
        name,
        startPump({
          queue: name,
          concurrency,
          tasks: options.queue,
          run: (job) => worker.run(job),
          logger: options.logger,
        }),
      );
    });
    start.catch(() => starting.delete(name));
    starting.set(name, start);
    return start;
  };
  /** Systems with work under way; those whose work is still to come announce themselves with their first job. */
  const startPumps = async (): Promise<void> => {
    const rows = await options.db
      .withTables<RequestTables>()
      .selectFrom('tasks')
      .select('system')
      .distinct()
      .where('organization_id', '=', options.organizationId)
      .where('state', 'in', ['ready', 'running', 'waiting'])
      .execute();
    await Promise.all([null, ...rows.map((row) => row.system)].map(startPumpFor));
  };
  const look = async (): Promise<void> => {
    try {
      await startPumps();
      await reconcile();
    } catch (error) {
      options.logger.warn({ err: error }, 'looking for lost work failed; it is tried again');
    }
  };
  const loop = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      looking = look().finally(loop);
    }, options.reconcileMilliseconds ?? RECONCILE_MILLISECONDS);
  };

  return {
    async start() {
      await options.queue.start();
      await session.start();
      await look();
      loop();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const grace = setTimeout(() => worker.abort(), GRACE_MILLISECONDS);
      await Promise.all([...pumps.values()].map((pump) => pump.stop()));
      clearTimeout(grace);
      await looking;
      await session.stop();
      await options.queue.stop();
    },
  };
}
