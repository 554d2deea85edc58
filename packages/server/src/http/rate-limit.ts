import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HabeasError } from '../foundation/index.ts';
import { callerOf } from './caller.ts';

export interface RateLimits {
  /** Most calls with one key in a minute, per server process. */
  readonly perKey: number;
  /** Most calls from one address in a minute without a valid key: open routes, and refused keys. (Default: 300) */
  readonly perAddress: number;
}

export const DEFAULT_RATE_LIMITS: RateLimits = { perKey: 12_000, perAddress: 300 };

export interface RateLimiters {
  /** Counts a call of somebody who signed in. Throws TOO_MANY_REQUESTS. */
  countKey(request: FastifyRequest, reply: FastifyReply): void;
  /** Counts a call of somebody who did not sign in. Throws TOO_MANY_REQUESTS. */
  countAddress(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

const WINDOW_MILLISECONDS = 60_000;

/**
 * Two counters: one for each key, and one for each address that has no valid key, so that someone who tries keys
 * cannot use up the budget of the one who has it.
 */
export async function createRateLimiters(app: FastifyInstance, limits: RateLimits): Promise<RateLimiters> {
  await app.register(rateLimit, { global: false, timeWindow: WINDOW_MILLISECONDS });
  const byAddress = app.createRateLimit({ max: limits.perAddress });
  const callsOf = countByKey();
  return {
    countKey(request, reply) {
      const now = performance.now();
      const { calls, endsAt } = callsOf(callerOf(request).actor, now);
      if (calls > limits.perKey) refuse(reply, limits.perKey, endsAt - now);
    },
    async countAddress(request, reply) {
      const count = await byAddress(request);
      if (!count.isAllowed && count.isExceeded) refuse(reply, count.max, count.ttl);
    },
  };
}

interface Window {
  calls: number;
  /** By a clock that nobody sets, in milliseconds. */
  readonly endsAt: number;
}

/**
 * Counts a call of a key, and tells its minute. Every call of a program is counted here, so it is a number in a map; there is one for each key that is
 * valid, which are few.
 */
export function countByKey(): (actor: string, now: number) => Window {
  const windows = new Map<string, Window>();
  return (actor, now) => {
    let window = windows.get(actor);
    if (window === undefined || window.endsAt <= now) {
      window = { calls: 0, endsAt: now + WINDOW_MILLISECONDS };
      windows.set(actor, window);
    }
    window.calls += 1;
    return window;
  };
}

function refuse(reply: FastifyReply, most: number, milliseconds: number): never {
  const seconds = Math.ceil(milliseconds / 1_000);
  reply.header('retry-after', seconds);
  throw new HabeasError(
    'TOO_MANY_REQUESTS',
    `More than ${most} calls in a minute. Try again in ${seconds} seconds.`,
    { retryable: true },
  );
}
