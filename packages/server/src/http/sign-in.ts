import type { FastifyReply, FastifyRequest } from 'fastify';
import { HabeasError } from '../foundation/index.ts';
import type { Application } from './application.ts';
import { setPrincipal } from './caller.ts';
import { refuseBeyondScope } from './operation-scope.ts';
import { signInPartner } from './partner-caller.ts';
import { presentedKey } from './presented-key.ts';
import type { RateLimiters } from './rate-limit.ts';
import { refuseUnknownOrigin } from './same-origin.ts';
import { sessionCookies } from './session-cookie.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Reachable without a key. Only for what says nothing about anybody, or is signed in another way. */
    open?: true;
    /** Calls of an open route that the limit of an address leaves out. Only for files that the server has in memory. */
    uncounted?: true;
  }
}

/**
 * The hook that lets nobody in without a valid key of this server's organization. It runs for every route, known or
 * not, so that a stranger cannot learn which paths exist; a route opts out with `config: { open: true }`.
 */
export function signIn(
  application: Pick<Application, 'authenticate' | 'sessions' | 'publicUrl' | 'organizationId' | 'partners'>,
  limiters: RateLimiters,
) {
  const cookies = sessionCookies(application);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { config } = request.routeOptions;
    const { open, uncounted, partner: protocol } = config;
    if (protocol !== undefined)
      return signInPartner({ request, reply, protocol }, { ...application, limiters });
    if (open === true && uncounted === true) return;
    if (open === true) return limiters.countAddress(request, reply);
    const key = presentedKey(request.headers.authorization);
    const token = key === undefined ? cookies.tokenOf(request.headers.cookie) : undefined;
    // A browser sends a cookie by itself; that the page is ours it has to say.
    if (token !== undefined) refuseUnknownOrigin(request);
    const principal =
      key === undefined
        ? token && (await application.sessions.authenticate(token))
        : await application.authenticate(key);
    // A server acts for one organization; a key of another one on the same database is as good as no key.
    if (!principal || principal.organizationId !== application.organizationId) {
      await limiters.countAddress(request, reply);
      reply.header('www-authenticate', challengeFor(request.headers.accept));
      throw new HabeasError(
        'UNAUTHENTICATED',
        token !== undefined
          ? 'The session has ended: sign in again.'
          : key === undefined
            ? 'Send an API key: `Authorization: Bearer <key>`, or Basic with the key as the password.'
            : 'This API key is not known here, was revoked, or has expired.',
      );
    }
    setPrincipal(request, principal);
    limiters.countKey(request, reply);
    refuseBeyondScope(request, config);
  };
}

/** A browser that opens a page is asked for the key in its own dialog; a program is not. */
function challengeFor(accept: string | undefined): string {
  return accept?.includes('text/html') === true
    ? 'Basic realm="Habeas: any user name, the API key as the password", charset="UTF-8"'
    : 'Bearer realm="habeas"';
}
