import type pg from 'pg';
import { type Clock, type Database, HabeasError, type Logger, pause } from '../../foundation/index.ts';
import { nextTryAfter, type RetryDelays, retryDelay } from '../../notify/index.ts';
import type { PurposeBits } from '../purposes/index.ts';
import {
  type Delivery,
  dueDeliveries,
  forgetDelivery,
  hurryDeliveries,
  nextDue,
  noteFailed,
  notePending,
  noteTaken,
} from './deliveries.ts';
import type { Destination } from './destination.ts';
import { spreadChanges } from './spread.ts';
import type { SystemAnswer } from './tell-system.ts';

export interface FollowDestinationOptions {
  readonly destination: Destination;
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly bits: PurposeBits;
  readonly openValue: (type: string, sealed: Buffer) => string;
  readonly send: (delivery: Delivery, signal: AbortSignal) => Promise<SystemAnswer>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** See {@link nextTryAfter}. (Default: that of Standard Webhooks) */
  readonly schedule?: readonly number[] | undefined;
  /** Between two tries of a destination that takes nothing. */
  readonly rest: RetryDelays;
  /** Ends calls that are under way. */
  readonly cutOff: AbortSignal;
}

export interface DestinationFollower {
  /**
   * Writes down what changed and sends what is due until nothing is, or the destination is away. Gives how long nothing is to be done, in
   * milliseconds, unless somebody says something.
   */
  round(signal: AbortSignal): Promise<number>;
}

const BATCH = 200;
/** Calls of one destination at once. */
export const CALLS_AT_ONCE = 8;
/** So many failures in a row are an outage of the destination, and not a fault of one message. */
const OUTAGE = 3;
/** A destination that takes nothing is called this often at least. */
const LONGEST_REST_MILLISECONDS = 60_000;

/**
 * Tells one destination of people's states:
 *
 *     consent_changes ── spread ──▶ consent_deliveries: one row for each person, with the state to be told
 *                                         │ due
 *                                         ▼
 *                      send ─┬ taken: acknowledged, or sent until the destination says so by itself
 *                            ├ begun: asked again under the same key
 *                            └ else: again at times of its own, later each time; after the last try given up
 *
 * A state that changes while it is sent is sent again as another message, with a greater version: of a person only one message is under way.
 */
export function createDestinationFollower(options: FollowDestinationOptions): DestinationFollower {
  const { destination, db, pool, clock, logger, openValue } = options;
  const told = { destination: destination.key };
  let failures = 0;

  async function deliver(delivery: Delivery, stopping: AbortSignal): Promise<void> {
    if (delivery.identities.length === 0) return forgetDelivery(db, destination, delivery);
    let answer: SystemAnswer;
    try {
      answer = await options.send(delivery, options.cutOff);
    } catch (reason) {
      // A call that was cut off because the server stops says nothing about the destination.
      if (!stopping.aborted) await failed(delivery, HabeasError.from(reason));
      return;
    }
    if (Object.keys(answer.operations).length > 0) {
      const at = new Date(clock.now().getTime() + Math.max(1, answer.retryAfterSeconds) * 1_000);
      await notePending(db, destination, delivery, { operations: answer.operations, at });
    } else {
      const state = destination.acknowledge === 'answer' ? 'acknowledged' : 'sent';
      await noteTaken(db, destination, delivery, state);
    }
    if (failures >= OUTAGE) await hurryDeliveries(db, destination, clock.now());
    if (failures > 0) logger.info(told, 'a destination takes what people agree to again');
    failures = 0;
  }

  async function failed(delivery: Delivery, error: HabeasError): Promise<void> {
    failures += 1;
    const { code, message: reason } = error;
    if (failures === 1)
      logger.warn({ ...told, code, reason }, 'a destination does not take what people agree to');
    const now = clock.now();
    const wait = nextTryAfter(delivery.tries + 1, Math.random(), options.schedule);
    const nextAt = wait === undefined ? null : new Date(now.getTime() + wait);
    await noteFailed(db, destination, delivery, { error, nextAt, now });
    if (nextAt === null) logger.error({ ...told, id: delivery.id, code }, 'a choice was given up');
  }

  async function spread(): Promise<void> {
    const client = await pool.connect();
    try {
      await spreadChanges({ client, destination, bits: options.bits, now: clock.now() });
    } finally {
      client.release();
    }
  }

  return {
    async round(signal) {
      await spread();
      while (!signal.aborted) {
        const due = await dueDeliveries(db, destination, { now: clock.now(), limit: BATCH, openValue });
        const before = failures;
        const queue = due.values();
        const work = async () => {
          for (const delivery of queue) {
            // Whoever is away is not called for everybody who waits.
            if (signal.aborted || failures >= Math.max(OUTAGE, before + 1)) return;
            await deliver(delivery, signal);
          }
        };
        await Promise.all(Array.from({ length: failures === 0 ? CALLS_AT_ONCE : 1 }, work));
        if (failures > 0)
          return Math.min(LONGEST_REST_MILLISECONDS, retryDelay(failures, options.rest, Math.random()));
        if (due.length < BATCH) break;
      }
      const next = await nextDue(db, destination);
      return next === undefined ? Infinity : Math.max(0, next.getTime() - clock.now().getTime());
    },
  };
}

/** Does its rounds until the signal is aborted; looks at least this often whether somebody said something. */
export async function keepFollowing(
  { round }: DestinationFollower,
  { everyMilliseconds, signal }: { readonly everyMilliseconds: number; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const wait = await round(signal);
    await pause(Math.min(wait, everyMilliseconds), signal);
  }
}
