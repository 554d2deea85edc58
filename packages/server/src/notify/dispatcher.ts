import type pg from 'pg';
import { createBell } from './bell.ts';
import { MENDED } from './dead-letters.ts';
import type { EventFeed } from './feed.ts';
import { type FollowOptions, followReceiver, type Post } from './follow-receiver.ts';
import { type FollowWebhookOptions, followWebhook } from './follow-webhook.ts';
import { keepLeading } from './keep-leading.ts';
import { readFrontier } from './outbox-frontier.ts';
import type { Receiver } from './receivers.ts';
import { openSubscription } from './subscriptions.ts';

export interface DispatcherOptions
  extends FollowOptions,
    Pick<FollowWebhookOptions, 'sendWebhook' | 'schedule' | 'lookMilliseconds'> {
  readonly pool: pg.Pool;
  readonly feed: EventFeed;
  readonly receivers: readonly Receiver[];
  /** How often a process that does not lead looks whether it may. (Default: 2000) */
  readonly tryMilliseconds?: number | undefined;
}

export interface Dispatcher {
  /** Resolves when every receiver is told of all that is published from now on, by this process or another one. */
  start(): Promise<void>;
  /** Lets a call that is under way end for some seconds. What was not taken is told after the next start. */
  stop(): Promise<void>;
}

const TRY_MILLISECONDS = 2_000;
/** What a call that is under way gets when the server stops. */
const LAST_MILLISECONDS = 3_000;

/**
 * Tells each receiver, in order and at least once, of the events that concern it. One process at a time does it; how far each
 * receiver is, is stored after it took an event, so that another process goes on there.
 *
 *     outbox ── feed ──▶ bell of each receiver that an event concerns
 *                          └▶ its own loop: read from its position ── deliver ──▶ store the position
 *                                                ▲                       │ failed
 *                                                └─ wait, longer each time, until it is given up: dead letter
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, organizationId, receivers, pool, logger } = options;
  const closing = new AbortController();
  const cutOff = new AbortController();
  let running: Promise<void> | undefined;

  async function lead(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const { settled: begin } = await readFrontier(db);
    const together = { begin, signal: AbortSignal.any([signal, ended.signal]), cutOff: cutOff.signal };
    const posts = receivers.map((receiver) => ({ receiver, bell: createBell() }));
    // Where one breaks, because the database does not answer, all end and begin again.
    const works = [
      watch(posts, begin, together.signal),
      ...posts.map(({ receiver, bell }) =>
        receiver.kind === 'webhook'
          ? followWebhook({ receiver, bell }, { ...options, ...together })
          : followReceiver({ receiver, bell }, { ...options, ...together }),
      ),
    ].map((work) => work.finally(() => ended.abort()));
    const results = await Promise.allSettled(works);
    const failure = results.find(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') throw failure.reason;
  }

  async function watch(posts: readonly Post[], after: number, signal: AbortSignal): Promise<void> {
    const types = [...new Set([MENDED, ...receivers.flatMap((receiver) => receiver.types)])];
    for await (const event of options.feed.subscribe({ organizationId, types, after, signal })) {
      for (const post of posts) {
        const isMended = event.type === MENDED && event.data.receiver === post.receiver.name;
        if (isMended || post.receiver.wants(event)) post.bell.ring();
      }
    }
  }

  return {
    async start() {
      if (receivers.length === 0) return;
      const { settled } = await readFrontier(db);
      for (const { name } of receivers) await openSubscription(db, { organizationId, name }, settled);
      const { tryMilliseconds = TRY_MILLISECONDS } = options;
      const { signal } = closing;
      running ??= keepLeading({
        work: 'receivers',
        pool,
        organizationId,
        logger,
        tryMilliseconds,
        signal,
        lead,
      });
    },
    async stop() {
      closing.abort();
      const timer = setTimeout(() => cutOff.abort(), LAST_MILLISECONDS);
      await running;
      clearTimeout(timer);
    },
  };
}
