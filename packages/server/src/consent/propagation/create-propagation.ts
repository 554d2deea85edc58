import type pg from 'pg';
import type { Systems } from '../../connectors/index.ts';
import type { Clock, Database, Logger, Outbound } from '../../foundation/index.ts';
import {
  createWebhookPoster,
  keepLeading,
  RETRY_DELAYS,
  type RetryDelays,
  type WebhookPosterOptions,
} from '../../notify/index.ts';
import { assignBits } from '../purposes/index.ts';
import type { Destination } from './destination.ts';
import { CALLS_AT_ONCE, createDestinationFollower, keepFollowing } from './follow-destination.ts';
import { createPropagationState, type PropagationState } from './propagation-state.ts';
import { type PublishOnStream, sendConsent } from './send-consent.ts';
import { forgetOtherDestinations } from './spread.ts';

/** Tells destinations what people agree to. */
export interface Propagation extends PropagationState {
  /** Resolves when every destination is told of what people say from now on, by this process or another one. */
  start(): Promise<void>;
  /** Lets calls that are under way end for some seconds. What was not taken is told after the next start. */
  stop(): Promise<void>;
}

export interface PropagationOptions {
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly organizationId: string;
  readonly destinations: readonly Destination[];
  /** Codes of all purposes of the configuration. */
  readonly codes: readonly string[];
  readonly openValue: (type: string, sealed: Buffer) => string;
  readonly systems: Pick<Systems, 'connector'>;
  readonly publishOnStream: PublishOnStream;
  readonly outbound: Outbound;
  readonly sign: WebhookPosterOptions['sign'];
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often it is looked whether somebody said something. (Default: 1000) */
  readonly everyMilliseconds?: number;
  /** See FollowDestinationOptions. */
  readonly schedule?: readonly number[];
  readonly rest?: RetryDelays;
  /** How often a process that does not lead looks whether it may. (Default: 2000) */
  readonly tryMilliseconds?: number;
}

const EVERY_MILLISECONDS = 1_000;
const TRY_MILLISECONDS = 2_000;
/** What a call that is under way gets when the server stops. */
const LAST_MILLISECONDS = 3_000;

export function createPropagation(options: PropagationOptions): Propagation {
  const { db, pool, organizationId, destinations, logger, clock } = options;
  const closing = new AbortController();
  const cutOff = new AbortController();
  const webhooks = createWebhookPoster({
    outbound: options.outbound,
    clock,
    sign: options.sign,
    connections: CALLS_AT_ONCE,
  });
  let running: Promise<void> | undefined;
  const forgetOthers = () =>
    forgetOtherDestinations(pool, { organizationId, keys: destinations.map(({ key }) => key) });

  async function lead(signal: AbortSignal): Promise<void> {
    // Who led before may have had destinations that are no more, and have written down what they were to be told after this process began.
    await forgetOthers();
    const bits = await assignBits(db, organizationId, options.codes);
    // Who leads no more ends its calls: somebody else tells the same people, and may tell them something newer.
    const lost = new AbortController();
    signal.addEventListener('abort', () => !closing.signal.aborted && lost.abort(), { once: true });
    const ended = AbortSignal.any([cutOff.signal, lost.signal]);
    const works = destinations.map((destination) => {
      const send = sendConsent({ ...options, destination, bits, webhooks });
      const { rest = RETRY_DELAYS } = options;
      const follow = { ...options, destination, bits, send, rest, cutOff: ended };
      const everyMilliseconds = options.everyMilliseconds ?? EVERY_MILLISECONDS;
      return keepFollowing(createDestinationFollower(follow), {
        destination,
        everyMilliseconds,
        rest,
        logger,
        signal,
      });
    });
    await Promise.all(works);
  }

  return {
    ...createPropagationState({ db, organizationId, destinations, clock }),
    async start() {
      await forgetOthers();
      if (destinations.length === 0) return;
      const { tryMilliseconds = TRY_MILLISECONDS } = options;
      running ??= keepLeading({
        work: 'consent',
        pool,
        organizationId,
        logger,
        tryMilliseconds,
        signal: closing.signal,
        lead,
      });
    },
    async stop() {
      closing.abort();
      const timer = setTimeout(() => cutOff.abort(), LAST_MILLISECONDS);
      await running;
      clearTimeout(timer);
      webhooks.close();
    },
  };
}
