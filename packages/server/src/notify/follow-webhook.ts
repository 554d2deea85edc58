import { HabeasError, pause } from '../foundation/index.ts';
import type { FollowOptions, FollowSignals, Post } from './follow-receiver.ts';
import { readEvents, type StoredEvent } from './outbox.ts';
import { readFrontier } from './outbox-frontier.ts';
import type { WebhookReceiver } from './receivers.ts';
import { deleteRetry, hurryAfterOutage, nextRetry, type Retry, setAside } from './retries.ts';
import { retryDelay } from './retry-delay.ts';
import type { WebhookSender } from './send-webhook.ts';
import { disable, markWell, moveOn, noteFailure, openSubscription } from './subscriptions.ts';
import { nextTryAfter } from './webhook-schedule.ts';

export interface FollowWebhookOptions extends FollowOptions, FollowSignals {
  readonly begin: number;
  readonly sendWebhook: WebhookSender['send'];
  /** See {@link nextTryAfter}. (Default: that of Standard Webhooks) */
  readonly schedule?: readonly number[] | undefined;
  /** How often it looks without being told, in milliseconds. (Default: 60000) */
  readonly lookMilliseconds?: number | undefined;
}

const BATCH = 500;
const LOOK_MILLISECONDS = 60_000;
/** A receiver that takes nothing is called this often at most, whatever waits for it. */
const LONGEST_REST_MILLISECONDS = 60_000;
/** So many failures in a row are an outage of the receiver, and not a fault of one message. */
const OUTAGE = 3;

/**
 * Tells one webhook of what concerns it. A message that it does not take is set aside and tried again at times of its own, so that
 * it holds up no other:
 *
 *     due retry? ── else next event of the outbox ── send ─┬ 2xx: done; after an outage all that it missed is due
 *          ▲                                               ├ 410: disabled, until a person enables it
 *          └──────── rest, longer for each failure in a row ┴ else: set aside; after the last try a dead letter
 */
export async function followWebhook(
  { receiver, bell }: Post & { readonly receiver: WebhookReceiver },
  options: FollowWebhookOptions,
): Promise<void> {
  const { db, organizationId, signal, clock, logger, lookMilliseconds = LOOK_MILLISECONDS } = options;
  const scope = { organizationId, name: receiver.name };
  let { position, failures, failingSince, disabledAt } = await openSubscription(db, scope, options.begin);
  let heard = 0;
  let upTo = options.begin;

  while (!signal.aborted) {
    if (disabledAt !== null) {
      await bell.waitBeyond(heard, { signal, milliseconds: lookMilliseconds });
      heard = bell.count;
      ({ disabledAt } = await openSubscription(db, scope, options.begin));
      // What rang meanwhile is told as soon as it is enabled.
      upTo = (await readFrontier(db)).settled;
      continue;
    }
    const retry = await nextRetry(db, scope, clock.now());
    const isDue = retry !== undefined && retry.nextAt <= clock.now();
    const event = isDue ? await eventOf(retry) : await nextEvent();
    if (event !== undefined) {
      await attempt(event, isDue ? retry : undefined);
      continue;
    }
    if (isDue) continue;
    const untilRetry =
      retry === undefined ? lookMilliseconds : retry.nextAt.getTime() - clock.now().getTime();
    await bell.waitBeyond(heard, {
      signal,
      milliseconds: Math.min(lookMilliseconds, Math.max(1, untilRetry)),
    });
    heard = bell.count;
    upTo = (await readFrontier(db)).settled;
  }

  /** Of the outbox, if it has it still; a message without its event is given up silently, because nobody can be told of it. */
  async function eventOf({ eventId, sequence }: Retry): Promise<StoredEvent | undefined> {
    const [found] = await readEvents(db, { organizationId, after: sequence - 1, upTo: sequence, limit: 1 });
    if (found?.id === eventId) return found;
    await deleteRetry(db, scope, eventId);
    return undefined;
  }

  async function nextEvent(): Promise<StoredEvent | undefined> {
    while (position < upTo) {
      const { types } = receiver;
      const found = await readEvents(db, { organizationId, after: position, upTo, types, limit: BATCH });
      const wanted = found.find((event) => receiver.wants(event));
      if (wanted !== undefined) return wanted;
      position = found.length < BATCH ? upTo : (found.at(-1)?.sequence ?? upTo);
      if (failures === 0) await moveOn(db, scope, position);
    }
    return undefined;
  }

  async function attempt(event: StoredEvent, retry: Retry | undefined): Promise<void> {
    const answer = await options
      .sendWebhook(receiver, event, options.cutOff)
      .catch((error: unknown) => HabeasError.from(error));
    if (answer === 'taken') await taken(event, retry);
    else if (answer === 'gone') await gone();
    else if (!signal.aborted) await refused(event, (retry?.tries ?? 0) + 1, answer);
  }

  async function taken(event: StoredEvent, retry: Retry | undefined): Promise<void> {
    if (retry === undefined) position = event.sequence;
    else await deleteRetry(db, scope, event.id);
    if (failures >= OUTAGE) await hurryAfterOutage(db, scope, clock.now());
    if (failures > 0) logger.info({ receiver: receiver.name }, 'A receiver takes notifications again');
    await moveOn(db, scope, position);
    if (failures > 0) await markWell(db, scope);
    failures = 0;
    failingSince = null;
  }

  async function gone(): Promise<void> {
    disabledAt = clock.now();
    await disable(db, scope, disabledAt);
    logger.error(
      { receiver: receiver.name },
      'A receiver answered 410: it is disabled until a person enables it',
    );
  }

  async function refused(event: StoredEvent, tries: number, error: HabeasError): Promise<void> {
    const now = clock.now();
    failures += 1;
    failingSince ??= now;
    const told = { receiver: receiver.name, code: error.code, reason: error.message };
    if (failures === 1) logger.warn(told, 'A receiver does not take a notification; trying again');
    else logger.debug(told, 'A receiver still does not take notifications');
    await noteFailure(db, scope, { failures, since: failingSince, error });
    const wait = nextTryAfter(tries, Math.random(), options.schedule);
    const nextAt = wait === undefined ? null : new Date(now.getTime() + wait);
    await setAside(db, scope, { event, tries, nextAt, error, now });
    position = Math.max(position, event.sequence);
    if (nextAt === null)
      logger.error(
        { receiver: receiver.name, event: event.id, type: event.type },
        'A notification was given up',
      );
    const rest = Math.min(retryDelay(failures, options.retry, Math.random()), LONGEST_REST_MILLISECONDS);
    await pause(rest, signal);
  }
}
