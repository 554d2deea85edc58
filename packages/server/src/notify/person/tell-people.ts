import type pg from 'pg';
import { type Clock, type Database, HabeasError, type Logger } from '../../foundation/index.ts';
import { createBell } from '../bell.ts';
import type { EventFeed } from '../feed.ts';
import { keepLeading } from '../keep-leading.ts';
import { readEvents, type StoredEvent } from '../outbox.ts';
import { readFrontier } from '../outbox-frontier.ts';
import { type RetryDelays, retryDelay } from '../retry-delay.ts';
import { type MailSender, refusedStatus } from '../send-mail.ts';
import { moveOn, openSubscription } from '../subscriptions.ts';
import type { Language } from './languages.ts';
import type { Templates } from './load-templates.ts';
import type { MailValues } from './mail-kind.ts';
import {
  endMail,
  giveBackMails,
  type NewPersonMail,
  nextMailAt,
  type PersonMail,
  queuePersonMails,
  retryMailAt,
  takeDueMails,
} from './person-mails.ts';
import { fillTemplate } from './template.ts';

/** What only the rooms above know: whom an event concerns, and who that is. */
export interface PeopleToTell {
  /** Types of events that may make a mail. */
  readonly types: readonly string[];
  /** The mails that these events make. */
  mailsOf(events: readonly StoredEvent[]): Promise<readonly NewPersonMail[]>;
  /** Opens the sealed address and says what the mail has to tell, at the moment when it is sent. */
  compose(mail: PersonMail): Promise<ComposedMail | SkippedMail>;
  /** The mail server took it; in the transaction that notes so. */
  sent?(transaction: Database, mail: PersonMail): Promise<void>;
}

export interface ComposedMail {
  readonly to: string;
  readonly language: Language;
  readonly right: string;
  /** Why the answer is late: a reason of the W3C Data Privacy Vocabulary. */
  readonly delay?: string | undefined;
  readonly values: Omit<MailValues, 'organization' | 'request' | 'right'>;
}

/** There is nobody to send it to any more, or it must not be sent. */
export interface SkippedMail {
  readonly skipped: string;
}

export interface TellPeopleOptions {
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly organizationId: string;
  /** How the organization calls itself in mails. */
  readonly organization: string;
  readonly feed: EventFeed;
  readonly people: PeopleToTell;
  readonly templates: Templates;
  readonly sender: MailSender;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryDelays;
  /** A mail that could not be sent for so long is not sent any more. */
  readonly giveUpMilliseconds: number;
  /** How often a process that does not lead looks whether it may. (Default: 2000) */
  readonly tryMilliseconds?: number | undefined;
}

/** Tells people what becomes of their requests, by mail. */
export interface PeopleTeller {
  /** Resolves when people are told of all that is published from now on, by this process or another one. */
  start(): Promise<void>;
  /** Must come before the feed and the pool are closed. What was not sent is sent after the next start. */
  stop(): Promise<void>;
}

/** Where it stands in the outbox is stored under this name. */
const SUBSCRIPTION = 'people';
const TRY_MILLISECONDS = 2_000;
const BATCH = 500;
const AT_ONCE = 8;
const IDLE_MILLISECONDS = 60_000;
/** What a mail that is on its way gets when the server stops. */
const LAST_MILLISECONDS = 3_000;

/**
 * One process at a time follows the outbox and sends. An event becomes rows, in one transaction with the position in the outbox,
 * so that each makes its mails once; a row is sent until the mail server takes it, or refuses it for good.
 *
 *     outbox ── follow ──▶ person_mails ── send ──▶ mail server
 *                              ▲                │ not now
 *                              └── next try ────┘
 */
export function createPeopleTeller(options: TellPeopleOptions): PeopleTeller {
  const { db, organizationId, people, clock, logger, pool } = options;
  const scope = { organizationId, name: SUBSCRIPTION };
  const closing = new AbortController();
  const cutOff = new AbortController();
  let running: Promise<void> | undefined;

  async function lead(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    const news = createBell();
    const mails = createBell();
    await giveBackMails(db, organizationId);
    const { settled: begin } = await readFrontier(db);
    const works = [watch(news, begin, both), follow({ news, mails, begin }, both), send(mails, both)].map(
      (work) => work.finally(() => ended.abort()),
    );
    const results = await Promise.allSettled(works);
    const failure = results.find(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') throw failure.reason;
  }

  async function watch(news: Bell, after: number, signal: AbortSignal): Promise<void> {
    const { types } = people;
    for await (const _ of options.feed.subscribe({ organizationId, types, after, signal })) news.ring();
  }

  async function follow(
    { news, mails, begin }: { readonly news: Bell; readonly mails: Bell; readonly begin: number },
    signal: AbortSignal,
  ): Promise<void> {
    let upTo = begin;
    let { position } = await openSubscription(db, scope, begin);
    let heard = 0;
    while (!signal.aborted) {
      if (position >= upTo) {
        await news.waitBeyond(heard, { signal, milliseconds: IDLE_MILLISECONDS });
        heard = news.count;
        upTo = (await readFrontier(db)).settled;
        continue;
      }
      const { types } = people;
      const events = await readEvents(db, { organizationId, after: position, upTo, types, limit: BATCH });
      const made = events.length === 0 ? [] : await people.mailsOf(events);
      const next = events.length < BATCH ? upTo : (events.at(-1)?.sequence ?? upTo);
      await db.transaction().execute(async (transaction) => {
        await queuePersonMails(transaction, made, clock.now());
        await moveOn(transaction, scope, next);
      });
      position = next;
      if (made.length > 0) mails.ring();
    }
  }

  async function send(mails: Bell, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const heard = mails.count;
      const due = await takeDueMails(db, { organizationId, now: clock.now(), limit: AT_ONCE });
      // What is told of one request is told in order.
      const perRequest = Map.groupBy(due, (mail) => mail.request_id);
      await Promise.all(
        [...perRequest.values()].map(async (mails) => {
          for (const mail of mails.toSorted((a, b) => (a.id < b.id ? -1 : 1))) await sendOne(mail, signal);
        }),
      );
      if (due.length > 0) continue;
      const at = await nextMailAt(db, organizationId);
      const wait = at === undefined ? IDLE_MILLISECONDS : at.getTime() - clock.now().getTime();
      await mails.waitBeyond(heard, {
        signal,
        milliseconds: Math.min(Math.max(wait, 10), IDLE_MILLISECONDS),
      });
    }
  }

  async function sendOne(mail: PersonMail, signal: AbortSignal): Promise<void> {
    const composed = await people.compose(mail);
    if ('skipped' in composed) {
      await endMail(db, mail, { state: 'skipped', status: composed.skipped, now: clock.now() });
      return;
    }
    try {
      await options.sender.send(written(mail, composed), cutOff.signal);
    } catch (error) {
      // Cut off in the middle: the next leader sends it again.
      if (signal.aborted) return;
      await failed(mail, HabeasError.from(error));
      return;
    }
    await db.transaction().execute(async (transaction) => {
      await endMail(transaction, mail, { state: 'sent', status: null, now: clock.now() });
      await people.sent?.(transaction, mail);
    });
  }

  function written(mail: PersonMail, { to, language, right, delay, values }: ComposedMail) {
    const { templates, organization } = options;
    const why = delay === undefined ? undefined : (templates.delays[language][delay] ?? delay);
    const filled = fillTemplate({
      template: templates.mails[language][mail.kind],
      layout: templates.layout,
      language,
      values: {
        ...(why === undefined ? {} : { reason: why }),
        ...values,
        organization,
        request: mail.request_id,
        right: templates.rights[language][right] ?? right,
      },
    });
    // A code is made anew for each try: mail systems that drop repetitions must not drop the one that counts.
    const id = mail.kind === 'code' ? `${mail.id}-${mail.attempts}` : mail.id;
    return { ...filled, to, language, id };
  }

  async function failed(mail: PersonMail, error: HabeasError): Promise<void> {
    const now = clock.now();
    const status = refusedStatus(error);
    const age = now.getTime() - mail.queued_at.getTime();
    const forGood = (status !== undefined && !error.retryable) || age >= options.giveUpMilliseconds;
    const told = { mail: mail.id, kind: mail.kind, request: mail.request_id, code: error.code, status };
    if (forGood) {
      await endMail(db, mail, { state: 'refused', status: status ?? error.code, now });
      logger.warn(told, 'A mail to a person could not be delivered');
      return;
    }
    logger.warn(told, 'A mail to a person could not be sent now; trying again');
    const delay = retryDelay(mail.attempts, options.retry, Math.random());
    await retryMailAt(db, mail, new Date(now.getTime() + delay));
  }

  return {
    async start() {
      const { settled } = await readFrontier(db);
      await openSubscription(db, scope, settled);
      const { tryMilliseconds = TRY_MILLISECONDS } = options;
      const { signal } = closing;
      running ??= keepLeading({
        work: 'people',
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

type Bell = ReturnType<typeof createBell>;
