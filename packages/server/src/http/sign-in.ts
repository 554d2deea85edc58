import type { FastifyReply, FastifyRequest } from 'fastify';
import { HabeasError } from '../foundation/index.ts';
import type { Application } from './application.ts';
import { setCaller } from './caller.ts';
import { signInPartner } from './partner-caller.ts';
import { presentedKey } from './presented-key.ts';
import type { RateLimiters } from './rate-limit.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Reachable without a key. Only for what says nothing about anybody, or is signed in another way. */
    open?: true;
  }
}

/**
 * The hook that lets nobody in without a valid key of this server's organization. It runs for every route, known or
 * not, so that a stranger cannot learn which paths exist; a route opts out with `config: { open: true }`.
 */
export function signIn(
  application: Pick<Application, 'authenticate' | 'organizationId' | 'partners'>,
  limiters: RateLimiters,
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { open, partner: protocol } = request.routeOptions.config;
    if (protocol !== undefined)
      return signInPartner({ request, reply, protocol }, { ...application, limiters });
    if (open === true) return limiters.countAddress(request, reply);
    const key = presentedKey(request.headers.authorization);
    const principal = key === undefined ? undefined : await application.authenticate(key);
    // A server acts for one organization; a key of another one on the same database is as good as no key.
    if (principal === undefined || principal.organizationId !== application.organizationId) {
      await limiters.countAddress(request, reply);
      reply.header('www-authenticate', challengeFor(request.headers.accept));
      throw new HabeasError(
        'UNAUTHENTICATED',
        key === undefined
          ? 'Send an API key: `Authorization: Bearer <key>`, or Basic with the key as the password.'
          : 'This API key is not known here, was revoked, or has expired.',
      );
    }
    setCaller(request, { organizationId: principal.organizationId, actor: principal.actor });
    await limiters.countKey(request, reply);
  };
}

/** A browser that opens a page is asked for the key in its own dialog; a program is not. */
function challengeFor(accept: string | undefined): string {
  return accept?.includes('text/html') === true
    ? 'Basic realm="Habeas: any user name, the API key as the password", charset="UTF-8"'
    : 'Bearer realm="habeas"';
}
