import type { Systems } from '../connectors/index.ts';
import { type Clock, type Database, type Logger, pause, type SecretKey } from '../foundation/index.ts';
import { type DueNotice, dueTasks, type PauseNotice, systemsDue } from './due-tasks.ts';
import type { RequestRef } from './identity-vault.ts';
import type { PackageStorages } from './package/storage.ts';
import type { HeededPauses } from './pauses.ts';
import type { Places } from './places.ts';
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
  /** Names this process' worker in the rows that it holds. */
  readonly worker: string;
  readonly transitions: Transitions;
  readonly systems: Systems;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly taskTimeoutMilliseconds: number;
  readonly storages: PackageStorages;
  readonly whileMuchIsStreamed: () => void;
  readonly packageExpiresMilliseconds: number;
  readonly giveUpBlockedMilliseconds: number;
  readonly patience: (system: string | null) => number | undefined;
  readonly callback: (taskId: string) => { readonly url: string; readonly secret: string };
  readonly sign: SignReceipt;
  /** What may not be begun now. */
  readonly pauses: Pick<HeededPauses, 'refresh' | 'stops'>;
  /** Lets reports of systems take effect that came too early. */
  readonly settleReports: () => Promise<void>;
  /** Applies legal holds that a dead process stored and did not apply. */
  readonly applyHolds: () => Promise<void>;
  readonly planReceived: (ref: RequestRef) => Promise<void>;
  /** (Default: 1 second) */
  readonly reconcileMilliseconds?: number;
}

const RECONCILE_MILLISECONDS = 1_000;
/** Running tasks may end in this time when the server stops; then they are aborted and are ready again. */
const GRACE_MILLISECONDS = 5_000;
/** A timer is kept for what is due sooner than this; the rest is found by looking, once a second. */
const LONG_MILLISECONDS = 60_000;

/** The workers of this process: a pump per system that has work, one life line, one reconciler. */
export interface Fleet extends Places {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createFleet(options: FleetOptions): Fleet {
  const { organizationId, db, clock, logger, pauses } = options;
  const pumps = new Map<string | null, Pump>();
  const timers = new Set<NodeJS.Timeout>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let started = false;
  let stopped = false;

  const session = createWorkerSession({
    worker: options.worker,
    databaseUrl: options.databaseUrl,
    logger,
    onNotice: (notice) => heed(notice),
    onConnected: () => {
      for (const pump of pumps.values()) pump.wake();
    },
  });
  const worker = createWorker(options);
  const stopping = new AbortController();
  const reconcile = createReconciler({
    ...options,
    signal: stopping.signal,
    plan: options.planReceived,
    settleReports: options.settleReports,
    applyHolds: options.applyHolds,
    worker: { id: options.worker, inHand: () => worker.inHand() },
  });

  const pumpOf = (system: string | null): Pump => {
    const known = pumps.get(system);
    if (known !== undefined) return known;
    const pump = createPump({
      concurrency: options.systems.concurrency(system),
      due: async (limit) =>
        pauses.stops(system)
          ? []
          : dueTasks(db, { organizationId, system, limit, now: clock.now(), except: worker.claiming() }),
      // A task that was offered, or read before the pause was: it stays due.
      run: async (task) => (pauses.stops(system) ? undefined : worker.run(task)),
      logger,
    });
    pumps.set(system, pump);
    return pump;
  };
  const wakeLater = (system: string | null, milliseconds: number): void => {
    if (milliseconds > LONG_MILLISECONDS) return;
    const later = setTimeout(() => {
      timers.delete(later);
      pumpOf(system).wake();
    }, milliseconds);
    timers.add(later);
  };
  const heedPauses = async (): Promise<void> => {
    try {
      if (await pauses.refresh()) for (const pump of pumps.values()) pump.wake();
    } catch (error) {
      logger.warn({ err: error }, 'what is paused could not be read; it is read again within a second');
    }
  };
  const heed = (notice: DueNotice | PauseNotice): void => {
    if (!started || stopped) return;
    if ('pauses' in notice) {
      void heedPauses();
      return;
    }
    const { organization, system, milliseconds, from } = notice;
    if (organization !== organizationId || from === options.worker) return;
    if (milliseconds === 0) pumpOf(system).wake();
    else wakeLater(system, milliseconds);
  };
  const look = async (): Promise<void> => {
    await heedPauses();
    await reconcile();
    try {
      for (const system of await systemsDue(db, { organizationId, now: clock.now() }))
        if (!stopped) pumpOf(system).wake();
    } catch (error) {
      logger.warn({ err: error }, 'what is due could not be looked for; it is tried again');
    }
  };
  const loop = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      looking = look().finally(loop);
    }, options.reconcileMilliseconds ?? RECONCILE_MILLISECONDS);
  };

  return {
    take(task) {
      if (!started || stopped || task.organizationId !== organizationId) return undefined;
      if (pauses.stops(task.system)) return undefined;
      const place = pumpOf(task.system).take();
      if (place === undefined) return undefined;
      const putDown = worker.takeInHand(task.taskId);
      return {
        begin: (claimed) => place.fill(worker.runClaimed(claimed).finally(putDown)),
        giveBack() {
          putDown();
          place.giveBack();
        },
      };
    },
    offer(due) {
      if (!started || stopped) return;
      const now = clock.now().getTime();
      for (const task of due) {
        if (task.organizationId !== organizationId) continue;
        const milliseconds = task.at.getTime() - now;
        if (milliseconds <= 0) pumpOf(task.system).offer(task);
        else wakeLater(task.system, milliseconds);
      }
    },
    async start() {
      // Before anything can be begun: a server that cannot read what is paused does not start.
      await pauses.refresh();
      await session.start();
      started = true;
      await look();
      loop();
    },
    async stop() {
      stopped = true;
      stopping.abort();
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
