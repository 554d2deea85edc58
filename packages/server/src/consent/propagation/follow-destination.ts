import type pg from 'pg';
import { type Clock, type Database, HabeasError, type Logger, pause } from '../../foundation/index.ts';
import { nextTryAfter, RetryAfter, type RetryDelays, retryDelay } from '../../notify/index.ts';
import type { PurposeBits } from '../purposes/index.ts';
import { refusedAfter } from './consent-message.ts';
import {
  type Delivery,
  type DueDelivery,
  dueDeliveries,
  forgetDelivery,
  hurryDeliveries,
  nextDue,
  noteFailed,
  notePending,
  noteTaken,
  opened,
} from './deliveries.ts';
import type { Destination } from './destination.ts';
import { spreadChanges } from './spread.ts';
import { noteGone, noteRest, standingOf } from './standing.ts';
import type { SystemAnswer } from './tell-system.ts';

export interface FollowDestinationOptions {
  readonly destination: Destination;
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly bits: PurposeBits;
  readonly openValue: (type: string, sealed: Buffer) => string;
  readonly send: (delivery: Delivery, signal: AbortSignal) => Promise<SystemAnswer | 'gone'>;
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
   * Writes down what changed and sends what is due until nothing is, or the destination is away. Gives how long nothing is to be sent, in
   * milliseconds, unless somebody says something; while a destination that is away rests, nothing is sent.
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
/** A destination that took something so recently is there: what it refuses for good is the fault of the message. */
const THERE_MILLISECONDS = 60_000;

/**
 * Tells one destination of people's states:
 *
 *     consent_changes ── spread ──▶ consent_deliveries: one row for each person, with the state to be told
 *                                         │ due
 *                                         ▼
 *                      send ─┬ taken: acknowledged, or sent until the destination says so by itself
 *                            ├ begun: asked again under the same key
 *                            ├ gone: nothing is sent until a person wants it, or the address is another one
 *                            └ else: again at times of its own, later each time; after the last try given up
 *
 * A state that changes while it is sent is sent again as another message, with a greater version: of a person only one message is under way.
 */
export function createDestinationFollower(options: FollowDestinationOptions): DestinationFollower {
  const { destination, db, pool, clock, logger, openValue } = options;
  const told = { destination: destination.key };
  let failures = 0;
  /** Until when it rests because it takes nothing, and because it asked to. */
  let restsUntil = 0;
  let askedUntil = 0;
  let takenAt: number | undefined;

  /** Gives whether the destination can be told of others. */
  async function deliver(due: DueDelivery, stopping: AbortSignal): Promise<boolean> {
    if (due.sealed.length === 0) {
      await forgetDelivery(db, destination, due);
      return true;
    }
    let delivery: Delivery;
    try {
      delivery = opened(due, openValue);
    } catch (reason) {
      await notTaken(due, HabeasError.from(reason));
      return true;
    }
    let answer: SystemAnswer | 'gone';
    try {
      answer = await options.send(delivery, options.cutOff);
    } catch (reason) {
      // A call that was cut off because the server stops says nothing about the destination.
      if (!stopping.aborted) await failed(delivery, HabeasError.from(reason));
      return true;
    }
    if (answer === 'gone') await gone();
    else await taken(delivery, answer);
    return answer !== 'gone';
  }

  async function gone(): Promise<void> {
    await noteGone(db, destination, clock.now());
    logger.error(
      told,
      'a destination answered 410: it is told nothing until a person has it tried again, or its url is another one',
    );
  }

  async function taken(delivery: Delivery, answer: SystemAnswer): Promise<void> {
    if (Object.keys(answer.operations).length > 0) {
      const at = new Date(clock.now().getTime() + Math.max(1, answer.retryAfterSeconds) * 1_000);
      await notePending(db, destination, delivery, { operations: answer.operations, at });
    } else {
      const taken =
        destination.acknowledge === 'answer'
          ? ({ state: 'acknowledged', refused: refusedAfter(destination, delivery, options.bits) } as const)
          : ({ state: 'sent', refused: delivery.refused } as const);
      await noteTaken(db, destination, delivery, taken);
    }
    // Whoever begins does not know whether there was an outage.
    const isFirst = takenAt === undefined;
    takenAt = clock.now().getTime();
    if (isFirst || failures >= OUTAGE) await hurryDeliveries(db, destination, clock.now());
    if (failures > 0) logger.info(told, 'a destination takes what people agree to again');
    failures = 0;
  }

  async function failed(delivery: Delivery, error: HabeasError): Promise<void> {
    const isThere = takenAt !== undefined && clock.now().getTime() - takenAt < THERE_MILLISECONDS;
    if (error.retryable || !isThere) countFailure(error);
    if (error.cause instanceof RetryAfter) {
      const until = new Date(clock.now().getTime() + error.cause.seconds * 1_000);
      askedUntil = Math.max(askedUntil, until.getTime());
      await noteRest(db, destination, until);
    }
    await notTaken(delivery, error);
  }

  function countFailure({ code, message: reason }: HabeasError): void {
    failures += 1;
    if (failures === 1)
      logger.warn({ ...told, code, reason }, 'a destination does not take what people agree to');
  }

  async function notTaken(
    delivery: Pick<Delivery, 'subject' | 'version' | 'id' | 'tries'>,
    error: HabeasError,
  ) {
    const now = clock.now();
    const wait = nextTryAfter(delivery.tries + 1, Math.random(), options.schedule);
    const nextAt = wait === undefined ? null : new Date(Math.max(now.getTime() + wait, askedUntil));
    await noteFailed(db, destination, delivery, { error, nextAt, now });
    if (nextAt === null)
      logger.error({ ...told, id: delivery.id, code: error.code }, 'a choice was given up');
  }

  function restAtLeast(milliseconds: number): void {
    restsUntil = Math.max(restsUntil, clock.now().getTime() + milliseconds);
  }

  /** What is left of it. */
  const rest = () => Math.max(restsUntil, askedUntil) - clock.now().getTime();

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
      const { isGone, restsUntil: asked } = await standingOf(db, destination);
      if (isGone) return Infinity;
      askedUntil = asked?.getTime() ?? 0;
      if (rest() > 0) return rest();
      while (!signal.aborted) {
        const due = await dueDeliveries(db, destination, { now: clock.now(), limit: BATCH });
        if (due.length === 0) break;
        const before = failures;
        const queue = due.values();
        let isThere = true;
        const work = async () => {
          for (const delivery of queue) {
            // Whoever is away is not called for everybody who waits.
            const isAway = !isThere || rest() > 0 || failures >= Math.max(OUTAGE, before + 1);
            if (isAway || signal.aborted) return;
            if (!(await deliver(delivery, signal))) isThere = false;
          }
        };
        const works = Array.from({ length: failures === 0 ? CALLS_AT_ONCE : 1 }, work);
        // Where one breaks, the calls of the others end before the round does: nobody is told by two at once.
        const results = await Promise.allSettled(works);
        const broken = results.find(({ status }) => status === 'rejected');
        if (broken?.status === 'rejected') throw broken.reason;
        if (!isThere) return Infinity;
        if (failures > 0)
          restAtLeast(Math.min(LONGEST_REST_MILLISECONDS, retryDelay(failures, options.rest, Math.random())));
        if (rest() > 0) return rest();
        // Whoever waits still is told what they said last, and whoever says something now waits for no others.
        await spread();
      }
      const next = await nextDue(db, destination);
      return next === undefined ? Infinity : Math.max(0, next.getTime() - clock.now().getTime());
    },
  };
}

export interface KeepFollowingOptions
  extends Pick<FollowDestinationOptions, 'destination' | 'logger' | 'rest'> {
  readonly everyMilliseconds: number;
  readonly signal: AbortSignal;
}

/**
 * Does its rounds until the signal is aborted; looks at least this often whether somebody said something. A round that breaks is done again later:
 * it may be the database that does not answer, or this destination alone.
 */
export async function keepFollowing(
  { round }: DestinationFollower,
  { destination, everyMilliseconds, rest, logger, signal }: KeepFollowingOptions,
): Promise<void> {
  let broken = 0;
  while (!signal.aborted) {
    try {
      const wait = await round(signal);
      broken = 0;
      await pause(Math.min(wait, everyMilliseconds), signal);
    } catch (err) {
      broken += 1;
      if (!signal.aborted)
        logger.error({ destination: destination.key, err }, 'the work for a destination broke off');
      await pause(Math.min(LONGEST_REST_MILLISECONDS, retryDelay(broken, rest, Math.random())), signal);
    }
  }
}
