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
  countKey(request: FastifyRequest, reply: FastifyReply): Promise<void>;
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
  const byKey = app.createRateLimit({
    max: limits.perKey,
    keyGenerator: (request) => `${callerOf(request).organizationId} ${callerOf(request).actor}`,
  });
  const byAddress = app.createRateLimit({ max: limits.perAddress });
  return {
    countKey: async (request, reply) => refuseIfExceeded(await byKey(request), reply),
    countAddress: async (request, reply) => refuseIfExceeded(await byAddress(request), reply),
  };
}

type Count = Awaited<ReturnType<ReturnType<FastifyInstance['createRateLimit']>>>;

function refuseIfExceeded(count: Count, reply: FastifyReply): void {
  if (count.isAllowed || !count.isExceeded) return;
  reply.header('retry-after', count.ttlInSeconds);
  throw new HabeasError(
    'TOO_MANY_REQUESTS',
    `More than ${count.max} calls in a minute. Try again in ${count.ttlInSeconds} seconds.`,
    { retryable: true },
  );
}
