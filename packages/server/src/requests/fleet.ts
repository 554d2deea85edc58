import type { Systems } from '../connectors/index.ts';
import { type Clock, type Database, type Logger, pause, type SecretKey } from '../foundation/index.ts';
import { type DueNotice, dueTasks, systemsDue } from './due-tasks.ts';
import type { RequestRef } from './identity-vault.ts';
import { createPump, type Pump } from './pump.ts';
import type { SignReceipt } from './receipt.ts';
import { createReconciler } from './reconcile.ts';
import type { Transitions } from './transitions.ts';
import { createWorker } from './worker.ts';
import { createWorkerSession } from './worker-session.ts';

export interface FleetOptions {
  /** Whose requests these workers work on: they know the systems of no other. */
  readonly organizationId: string;
  readonly db: Database;
  readonly databaseUrl: string;
  readonly transitions: Transitions;
  readonly systems: Systems;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly taskTimeoutMilliseconds: number;
  readonly packageExpiresMilliseconds: number;
  readonly callback: (taskId: string) => { readonly url: string; readonly secret: string };
  readonly sign: SignReceipt;
  readonly planReceived: (ref: RequestRef) => Promise<void>;
  /** (Default: 1 second) */
  readonly reconcileMilliseconds?: number;
}

const RECONCILE_MILLISECONDS = 1_000;
/** Running tasks may end in this time when the server stops; then they are aborted and are ready again. */
const GRACE_MILLISECONDS = 5_000;

const LONG_MILLISECONDS = 60_000;

/** The workers of this process: a pump per system that has work, one life line, one reconciler. */
export interface Fleet {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createFleet(options: FleetOptions): Fleet {
  const { organizationId, db, clock, logger } = options;
  const pumps = new Map<string | null, Pump>();
  const timers = new Set<NodeJS.Timeout>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let stopped = false;

  const session = createWorkerSession({
    databaseUrl: options.databaseUrl,
    logger,
    onNotice: (notice) => heed(notice),
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

  const wake = (system: string | null): void => {
    if (stopped) return;
    let pump = pumps.get(system);
    if (pump === undefined) {
      pump = createPump({
        concurrency: options.systems.concurrency(system),
        due: (limit) =>
          dueTasks(db, { organizationId, system, limit, now: clock.now(), except: worker.claiming() }),
        run: (task) => worker.run(task),
        logger,
      });
      pumps.set(system, pump);
    }
    pump.wake();
  };
  const heed = ({ organization, system, milliseconds }: DueNotice): void => {
    if (organization !== organizationId || stopped) return;
    if (milliseconds === 0) wake(system);
    // What is due in a long while is found by looking.
    if (milliseconds === 0 || milliseconds > LONG_MILLISECONDS) return;
    const later = setTimeout(() => {
      timers.delete(later);
      wake(system);
    }, milliseconds);
    timers.add(later);
  };
  const look = async (): Promise<void> => {
    try {
      await reconcile();
      for (const system of await systemsDue(db, { organizationId, now: clock.now() })) wake(system);
    } catch (error) {
      logger.warn({ err: error }, 'looking for lost work failed; it is tried again');
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
      await session.start();
      await look();
      loop();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      for (const later of timers) clearTimeout(later);
      const grace = setTimeout(() => worker.abort(), GRACE_MILLISECONDS);
      const ended = Promise.all([...pumps.values()].map((pump) => pump.stop()));
      const over = new AbortController();
      const patience = pause(2 * GRACE_MILLISECONDS, over.signal).then(() => 'patience ended');
      if ((await Promise.race([ended, patience])) === 'patience ended')
        logger.warn('tasks that do not heed being aborted are left behind; another server takes them up');
      over.abort();
      clearTimeout(grace);
      await looking;
      await session.stop();
    },
  };
}
