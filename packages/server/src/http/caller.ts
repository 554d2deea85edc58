import type { FastifyRequest } from 'fastify';
import { HabeasError } from '../foundation/index.ts';
import type { Caller } from '../requests/index.ts';

const callers = new WeakMap<FastifyRequest, Caller>();

/** Remembers who sent a request; only sign-in calls it. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** Who sent the request. Throws UNAUTHENTICATED if nobody signed in, so that a route without sign-in cannot act by accident. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new HabeasError('UNAUTHENTICATED', 'This operation needs an API key.');
  return caller;
}
