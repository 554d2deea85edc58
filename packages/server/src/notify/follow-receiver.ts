import { type Clock, type Database, HabeasError, type Logger, pause } from '../foundation/index.ts';
import type { Bell } from './bell.ts';
import { readEvents, type StoredEvent } from './outbox.ts';
import { readFrontier } from './outbox-frontier.ts';
import type { Receiver } from './receivers.ts';
import { type RetryDelays, retryDelay } from './retry-delay.ts';
import { giveUp, moveOn, noteFailure, openSubscription, type SubscriptionState } from './subscriptions.ts';

/** Tells a receiver of events; what is thrown is a failure, and all of them are told again later. */
export type Deliver = (
  receiver: Receiver,
  events: readonly StoredEvent[],
  signal: AbortSignal,
) => Promise<void>;

export interface FollowOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly deliver: Deliver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A receiver that fails for so long loses what is as old. */
  readonly giveUpMilliseconds: number;
  readonly retry: RetryDelays;
}

/** What concerns one receiver. */
export interface Post {
  readonly receiver: Receiver;
  /** Rings when there is something new. */
  readonly bell: Bell;
}

/** Most events of one look into the outbox, and of one mail. */
const BATCH = 500;
/** How often a receiver that nothing concerns is moved on all the same, so that a restart does not read what is long known. */
const IDLE_MILLISECONDS = 60_000;

export interface FollowSignals {
  /** Ends it after the call that is under way. */
  readonly signal: AbortSignal;
  /** Ends that call too. */
  readonly cutOff: AbortSignal;
}

/** Tells one receiver of what concerns it, in order, from its position on; first of what is there, up to `begin`. */
export async function followReceiver(
  { receiver, bell }: Post,
  options: FollowOptions & FollowSignals & { readonly begin: number },
): Promise<void> {
  const { db, organizationId, signal, begin } = options;
  const scope = { organizationId, name: receiver.name };
  let state = await openSubscription(db, scope, begin);
  let heard = 0;
  let upTo = begin;
  while (!signal.aborted) {
    if (state.position >= upTo) {
      await bell.waitBeyond(heard, { signal, milliseconds: IDLE_MILLISECONDS });
      heard = bell.count;
      upTo = await settledTogether(db);
      continue;
    }
    const { types } = receiver;
    const found = await readEvents(db, { organizationId, after: state.position, upTo, types, limit: BATCH });
    // A person reads one mail about all of it.
    const events = found.filter((event) => receiver.wants(event));
    const last = events.at(-1);
    if (last === undefined) {
      state = { ...state, position: found.length < BATCH ? upTo : (found.at(-1)?.sequence ?? upTo) };
      if (state.failures === 0) await moveOn(db, scope, state.position);
      continue;
    }
    const error = await failureOf(options.deliver(receiver, events, options.cutOff));
    if (error === undefined) state = await succeeded(last);
    else if (signal.aborted) return;
    else state = await failed(events, error);
  }

  async function succeeded({ sequence }: StoredEvent): Promise<SubscriptionState> {
    if (state.failures > 0) {
      options.logger.info({ receiver: receiver.name }, 'A receiver takes notifications again');
    }
    await moveOn(db, scope, sequence);
    return { ...state, position: sequence, failures: 0, failingSince: null };
  }

  async function failed(events: readonly StoredEvent[], error: HabeasError): Promise<SubscriptionState> {
    const { clock, logger, retry, giveUpMilliseconds } = options;
    const { name } = receiver;
    const now = clock.now();
    const since = state.failingSince ?? now;
    const failures = state.failures + 1;
    const { code, message } = error;
    const told = { receiver: name, code, reason: message };
    if (failures === 1) logger.warn(told, 'A receiver does not take notifications; trying again');
    else logger.debug(told, 'A receiver still does not take notifications');
    await noteFailure(db, scope, { failures, since, error });
    const [first] = events;
    const age = now.getTime() - Math.max(first?.at.getTime() ?? 0, since.getTime());
    // What Habeas itself is to do is never given up.
    if (first !== undefined && receiver.kind !== 'program' && age >= giveUpMilliseconds) {
      await giveUp(db, scope, { event: first, error, now });
      logger.error({ receiver: name, event: first.id, type: first.type }, 'A notification was given up');
      return { ...state, position: first.sequence, failures, failingSince: since };
    }
    await pause(retryDelay(failures, retry, Math.random()), signal);
    return { ...state, failures, failingSince: since };
  }
}

/** A busy outbox never stands still; then some of what happened together is told a mail later. */
const LOOKS = 3;

/**
 * All that was committed by now, and not only up to what rang: what happened together is told together. A number that was read
 * while a transaction took its own can lie in their middle when that transaction has ended before its lock was looked for.
 */
async function settledTogether(db: Database): Promise<number> {
  let { settled } = await readFrontier(db);
  for (let look = 1; look < LOOKS; look += 1) {
    const before = settled;
    ({ settled } = await readFrontier(db));
    if (settled === before) break;
  }
  return settled;
}

async function failureOf(delivery: Promise<void>): Promise<HabeasError | undefined> {
  try {
    await delivery;
    return undefined;
  } catch (error) {
    return HabeasError.from(error);
  }
}
