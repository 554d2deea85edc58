import type { FastifyRequest } from 'fastify';
import type { Principal } from '../access/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { Caller } from '../requests/index.ts';

const callers = new WeakMap<FastifyRequest, Caller>();

/** Remembers who sent a request; only sign-in calls it. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

const principals = new WeakMap<FastifyRequest, Principal>();

/** Remembers whose key came with a request; only sign-in calls it. */
export function setPrincipal(request: FastifyRequest, principal: Principal): void {
  const { organizationId, actor, teams } = principal;
  principals.set(request, principal);
  setCaller(request, { organizationId, actor, teams });
}

/** Whose key came with the request. Throws UNAUTHENTICATED if none did. */
export function principalOf(request: FastifyRequest): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw new HabeasError('UNAUTHENTICATED', 'This operation needs an API key.');
  return principal;
}

/** Who sent the request. Throws UNAUTHENTICATED if nobody signed in, so that a route without sign-in cannot act by accident. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new HabeasError('UNAUTHENTICATED', 'This operation needs an API key.');
  return caller;
}
