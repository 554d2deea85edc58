import type pg from 'pg';
import { type Database, HabeasError, type Logger, pause } from '../foundation/index.ts';
import { createBell } from './bell.ts';
import { keepListening } from './keep-listening.ts';
import { readEvents, type StoredEvent } from './outbox.ts';
import { OUTBOX_CHANNEL, readFrontier } from './outbox-frontier.ts';

/** The outbox as streams: each subscriber gets every event once, in order, first the stored ones and then the live ones. */
export interface EventFeed {
  /**
   * The stream begins when it is first asked for an event. It reads a batch at a time and only when asked, so that a slow
   * subscriber costs no memory. Throws UNAVAILABLE when the database does not answer: subscribe again after the last event.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<StoredEvent>;
  /** What happened to one request, oldest first; what is still under way comes with a later call. Throws UNAVAILABLE. */
  list(options: ListEventsOptions): Promise<readonly StoredEvent[]>;
  /** Ends all subscriptions and the listening connection. Must come before the pool is closed. */
  close(): Promise<void>;
}

export interface SubscribeOptions {
  readonly organizationId: string;
  /** Only events of this request. */
  readonly requestId?: string | undefined;
  /** Only events whose type fits one of these: exact, `map.*`, or `*`. (Default: all) */
  readonly types?: readonly string[] | undefined;
  /** The sequence of the last event that the subscriber has; 0: from the first one. (Default: only what comes from now on) */
  readonly after?: number | undefined;
  /** Ends the stream, without an error. */
  readonly signal: AbortSignal;
}

export interface ListEventsOptions {
  readonly organizationId: string;
  readonly requestId: string;
  /** Only events with a greater sequence. */
  readonly after: number;
  /** Most of them. */
  readonly limit: number;
}

export interface CreateEventFeedOptions {
  readonly db: Database;
  /** Gives the one connection that listens, from the first subscription on. */
  readonly pool: pg.Pool;
  readonly logger: Logger;
  /** How often to look without being told, in milliseconds, in case announcements get lost. (Default: 5000) */
  readonly pollMilliseconds?: number;
  /** Most events that one subscription holds. (Default: 200) */
  readonly batch?: number;
}

/** Least time between two looks: under load, one look serves all that was announced meanwhile. */
const LEAST_PAUSE_MILLISECONDS = 20;

export function createEventFeed(options: CreateEventFeedOptions): EventFeed {
  const { db, logger, pollMilliseconds = 5_000, batch: limit = 200 } = options;
  const closing = new AbortController();
  const news = createBell();
  const progress = createBell();
  let settled = 0;
  let running: Promise<unknown> | undefined;

  /** Moves `settled` on whenever something was announced, and now and then without. */
  async function watch(): Promise<void> {
    const { signal } = closing;
    let rest = LEAST_PAUSE_MILLISECONDS;
    while (!signal.aborted) {
      const heard = news.count;
      try {
        const frontier = await readFrontier(db);
        // A transaction that is rolled back announces nothing, so look again soon while one is under way.
        const underWay = frontier.settled < frontier.given;
        rest = underWay ? Math.min(rest * 2, pollMilliseconds) : pollMilliseconds;
        if (frontier.settled > settled) {
          settled = frontier.settled;
          rest = underWay ? LEAST_PAUSE_MILLISECONDS : pollMilliseconds;
          progress.ring();
        }
      } catch (error) {
        logger.warn({ err: error }, 'The outbox cannot be read now; trying again');
        rest = pollMilliseconds;
      }
      await pause(LEAST_PAUSE_MILLISECONDS, signal);
      await news.waitBeyond(heard, { signal, milliseconds: rest });
      if (news.count > heard) rest = LEAST_PAUSE_MILLISECONDS;
    }
  }

  function start(): void {
    const listening = { pool: options.pool, channel: OUTBOX_CHANNEL, logger, signal: closing.signal };
    news.ring();
    running ??= Promise.all([watch(), keepListening({ ...listening, onNews: news.ring })]);
  }

  async function* stream(subscription: SubscribeOptions): AsyncGenerator<StoredEvent, void, undefined> {
    const signal = AbortSignal.any([subscription.signal, closing.signal]);
    if (signal.aborted) return;
    const { organizationId, requestId, types, after } = subscription;
    let cursor = await whereToBegin(db, after);
    start();
    while (!signal.aborted) {
      const rung = progress.count;
      if (settled <= cursor) {
        await progress.waitBeyond(rung, { signal });
        continue;
      }
      const upTo = settled;
      const events = await orUnavailable(
        readEvents(db, { organizationId, requestId, types, after: cursor, upTo, limit }),
      );
      for (const event of events) {
        if (signal.aborted) return;
        cursor = event.sequence;
        yield event;
      }
      if (events.length < limit) cursor = upTo;
    }
  }

  return {
    subscribe: stream,
    async list(asked) {
      const { settled: upTo } = await orUnavailable(readFrontier(db));
      return orUnavailable(readEvents(db, { ...asked, upTo }));
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

async function whereToBegin(db: Database, after: number | undefined): Promise<number> {
  const { settled, given } = await orUnavailable(readFrontier(db));
  // A number that was never given out comes from another database, such as one before a restore: go on from here.
  return after === undefined ? settled : Math.min(after, given);
}

async function orUnavailable<Result>(reading: Promise<Result>): Promise<Result> {
  try {
    return await reading;
  } catch (cause) {
    throw new HabeasError(
      'UNAVAILABLE',
      'The outbox cannot be read: the database does not answer. Try again.',
      {
        cause,
        retryable: true,
      },
    );
  }
}
