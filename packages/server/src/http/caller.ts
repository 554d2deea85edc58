import type { FastifyRequest } from 'fastify';
import type { Principal } from '../access/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { Caller } from '../requests/index.ts';

const CALLER = Symbol('caller');
const PRINCIPAL = Symbol('principal');

declare module 'fastify' {
  interface FastifyRequest {
    [CALLER]?: Caller;
    [PRINCIPAL]?: Principal;
  }
}

/** Remembers who sent a request; only sign-in calls it. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  request[CALLER] = caller;
}

/** Remembers whose key came with a request; only sign-in calls it. */
export function setPrincipal(request: FastifyRequest, principal: Principal): void {
  const { organizationId, actor, teams } = principal;
  request[PRINCIPAL] = principal;
  setCaller(request, { organizationId, actor, teams });
}

/** Whose key came with the request. Throws UNAUTHENTICATED if none did. */
export function principalOf(request: FastifyRequest): Principal {
  const principal = request[PRINCIPAL];
  if (principal === undefined) throw new HabeasError('UNAUTHENTICATED', 'This operation needs an API key.');
  return principal;
}

/** Who sent the request. Throws UNAUTHENTICATED if nobody signed in, so that a route without sign-in cannot act by accident. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = request[CALLER];
  if (caller === undefined) throw new HabeasError('UNAUTHENTICATED', 'This operation needs an API key.');
  return caller;
}
