import type pg from 'pg';
import { type Clock, HabeasError, type Logger, pause } from '../../foundation/index.ts';
import { openTarget } from './open-target.ts';
import { forgetOtherTargets, isBehind, syncTarget } from './sync-target.ts';
import type { SyncedTarget } from './target.ts';
import type { ChangeableTarget } from './target-store.ts';

/** Keeps targets in step with what people say. */
export interface TargetSyncs {
  /** Resolves when it has begun. */
  start(): Promise<void>;
  stop(): Promise<void>;
  statuses(): readonly SyncStatus[];
}

export interface SyncStatus {
  readonly target: string;
  /** When the target last had all that people had said; undefined: never since this server started. */
  readonly exactAt: Date | undefined;
  /** Signatures and bits that somebody else had changed, since this server started. */
  readonly drift: number;
  /** Why the last try failed; undefined: it did not. */
  readonly error: string | undefined;
}

export interface TargetSyncsOptions {
  readonly organizationId: string;
  readonly targets: readonly SyncedTarget[];
  /** Habeas' own database. */
  readonly pool: pg.Pool;
  readonly openValue: (type: string, sealed: Buffer) => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The watermark moves on this often even when nobody says anything, so that it tells how old it is. */
const TOUCH_MILLISECONDS = 30_000;
const LONGEST_WAIT_MILLISECONDS = 60_000;

export function createTargetSyncs(options: TargetSyncsOptions): TargetSyncs {
  const stopping = new AbortController();
  const running: Promise<void>[] = [];
  const states = options.targets.map((one) => ({
    one,
    status: { target: one.target.key, exactAt: undefined, drift: 0, error: undefined } as SyncStatus,
  }));

  async function keepInStep(state: (typeof states)[number]): Promise<void> {
    const { one } = state;
    const opened = openTarget({ key: one.target.key, url: one.url });
    let wait = one.syncEveryMilliseconds;
    let failed: string | undefined;
    while (!stopping.signal.aborted) {
      try {
        const drift = await syncIfDue(options, one, opened);
        state.status = {
          ...state.status,
          exactAt: options.clock.now(),
          drift: state.status.drift + drift,
          error: undefined,
        };
        if (drift > 0)
          options.logger.warn(
            { target: one.target.key, drift },
            'a consent target had been changed by somebody else',
          );
        wait = one.syncEveryMilliseconds;
        failed = undefined;
      } catch (reason) {
        const { code, message } = HabeasError.from(reason);
        state.status = { ...state.status, error: code };
        if (failed !== message)
          options.logger.error(
            { target: one.target.key, code, reason: message },
            'a consent target is not in step',
          );
        failed = message;
        wait = Math.min(2 * wait, LONGEST_WAIT_MILLISECONDS);
      }
      await pause(wait, stopping.signal);
    }
    await opened.close();
  }

  return {
    async start() {
      const keys = states.map(({ one }) => one.target.key);
      await forgetOtherTargets(options.pool, { organizationId: options.organizationId, keys });
      for (const state of states) running.push(keepInStep(state));
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
    statuses: () => states.map(({ status }) => status),
  };
}

/** Gives the drift that was found and mended. */
async function syncIfDue(
  { pool, openValue, clock }: TargetSyncsOptions,
  one: SyncedTarget,
  changeable: ChangeableTarget,
): Promise<number> {
  const source = await pool.connect();
  try {
    const { target } = one;
    const known = await isBehind(source, target);
    const now = clock.now().getTime();
    const reconcile = now - (known.reconciledAt?.getTime() ?? 0) >= one.reconcileEveryMilliseconds;
    const touched = now - (known.asOf?.getTime() ?? 0) < TOUCH_MILLISECONDS;
    if (!known.behind && touched && !reconcile) return 0;
    const { drift = 0 } = await syncTarget({ target, source, changeable, openValue, reconcile });
    return drift;
  } finally {
    source.release();
  }
}
