import { appendAudit } from '../../audit/index.ts';
import {
  type Clock,
  createHttpClient,
  type Database,
  HabeasError,
  type Logger,
  type Outbound,
  pause,
} from '../../foundation/index.ts';
import { publish, type RetryDelays, retryDelay } from '../../notify/index.ts';
import type { CallbackMessage } from '../told-status.ts';
import { callbackTarget, checkCallbackUrl } from './callback-address.ts';
import {
  type CallbackOutcome,
  type DueCallback,
  nextDue,
  settleCallback,
  takeDueCallback,
} from './callback-queue.ts';

/** What is sent where; undefined: the request or its partner is gone, so that nobody waits for it. */
export interface PreparedCallback {
  readonly url: string;
  readonly origins: readonly string[];
  readonly message: CallbackMessage;
}

export interface SendCallbacksOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asks the policy about every address. */
  readonly outbound: Outbound;
  readonly retry: RetryDelays;
  /** A callback that fails for so long is lost. */
  readonly giveUpMilliseconds: number;
  readonly prepare: (callback: DueCallback) => Promise<PreparedCallback | undefined>;
  /** For one call. (Default: 15000) */
  readonly timeoutMilliseconds?: number;
}

export interface CallbackSender {
  /** There may be something new. */
  wake(): void;
  /** Sends what is due until the signal is aborted; a call that is under way then is sent again later. */
  run(signal: AbortSignal): Promise<void>;
}

const TIMEOUT_MILLISECONDS = 15_000;
/** Longer than a call can take. */
const LEASE_MILLISECONDS = 60_000;
const LONGEST_SLEEP_MILLISECONDS = 5_000;
/** Calls at once: a receiver that hangs holds up one of them for the length of a call. */
const LANES = 4;
const MAX_ANSWER_BYTES = 64 * 1_024;

/** Sends callbacks at least once: a row is settled after the receiver took it, and what was not settled is sent again. */
export function createCallbackSender(options: SendCallbacksOptions): CallbackSender {
  const { db, organizationId, clock, logger } = options;
  let woken = Promise.withResolvers<void>();

  async function call(prepared: PreparedCallback, signal: AbortSignal): Promise<void> {
    checkCallbackUrl(prepared.url, prepared.origins);
    const { address, isTls, path } = callbackTarget(prepared.url);
    const client = createHttpClient({
      outbound: options.outbound,
      address,
      tls: isTls ? {} : undefined,
      connections: 1,
    });
    try {
      const { status } = await client.call({
        method: 'POST',
        path,
        headers: { 'user-agent': 'habeas', 'content-type': 'application/json', ...prepared.message.headers },
        body: prepared.message.body,
        timeout: options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
        maxBytes: MAX_ANSWER_BYTES,
        signal,
      });
      if (status < 200 || status > 299) {
        throw new HabeasError(
          'SYSTEM_REFUSED',
          `A callback was answered with HTTP ${status}; it has to be 2xx.`,
        );
      }
    } finally {
      client.close();
    }
  }

  async function outcomeOf(callback: DueCallback, signal: AbortSignal): Promise<CallbackOutcome | undefined> {
    try {
      const prepared = await options.prepare(callback);
      if (prepared === undefined) return { kind: 'lost', at: clock.now(), errorCode: 'NOT_FOUND' };
      await call(prepared, signal);
      return { kind: 'sent', at: clock.now() };
    } catch (error) {
      if (signal.aborted) return undefined;
      const known = HabeasError.from(error);
      const now = clock.now();
      const told = { partner: callback.partner, status: callback.status, code: known.code };
      if (now.getTime() - callback.createdAt.getTime() >= options.giveUpMilliseconds) {
        logger.error(told, 'A callback to a partner was given up');
        return { kind: 'lost', at: now, errorCode: known.code };
      }
      if (callback.failures === 0) logger.warn(told, 'A partner does not take a callback; trying again');
      const delay = retryDelay(callback.failures + 1, options.retry, Math.random());
      return { kind: 'failed', nextAttemptAt: new Date(now.getTime() + delay), errorCode: known.code };
    }
  }

  async function settle(callback: DueCallback, outcome: CallbackOutcome): Promise<void> {
    await db.transaction().execute(async (transaction) => {
      await settleCallback(transaction, { organizationId, sequence: callback.sequence, outcome });
      if (outcome.kind !== 'lost') return;
      const details = { status: callback.status, error_code: outcome.errorCode };
      const subject = callback.partner;
      await appendAudit(
        transaction,
        [{ organizationId, actor: 'system', action: 'partner.callback-lost', subject, details }],
        outcome.at,
      );
      const data = { ...details, partner: subject };
      await publish(transaction, [{ organizationId, type: 'partner.callback-lost', data }], outcome.at);
    });
  }

  async function sleep(signal: AbortSignal): Promise<void> {
    const rung = woken.promise;
    const due = await nextDue(db, organizationId);
    const wait = due === undefined ? LONGEST_SLEEP_MILLISECONDS : due.getTime() - clock.now().getTime();
    const ended = new AbortController();
    const milliseconds = Math.max(10, Math.min(wait, LONGEST_SLEEP_MILLISECONDS));
    await Promise.race([rung, pause(milliseconds, AbortSignal.any([signal, ended.signal]))]);
    ended.abort();
  }

  async function lane(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const now = clock.now();
        const leaseUntil = new Date(now.getTime() + LEASE_MILLISECONDS);
        const callback = await takeDueCallback(db, { organizationId, now, leaseUntil });
        if (callback === undefined) {
          await sleep(signal);
          continue;
        }
        const outcome = await outcomeOf(callback, signal);
        if (outcome !== undefined) await settle(callback, outcome);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, 'Callbacks to partners are interrupted; trying again');
        await pause(LONGEST_SLEEP_MILLISECONDS, signal);
      }
    }
  }

  return {
    wake() {
      woken.resolve();
      woken = Promise.withResolvers<void>();
    },
    run: async (signal) => {
      await Promise.all(Array.from({ length: LANES }, () => lane(signal)));
    },
  };
}
