import { api } from '@habeas/contract';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { SignedIn } from '../access/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { Application } from './application.ts';
import { principalOf } from './caller.ts';
import { CONFIRMED_MILLISECONDS } from './confirmation.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { sessionCookies } from './session-cookie.ts';

/** `/api/v1/session`: how a browser signs in, without keeping the key. */
export function sessionRoutes(
  app: HttpServer,
  { sessions, publicUrl }: Pick<Application, 'sessions' | 'publicUrl'>,
): void {
  const cookies = sessionCookies({ publicUrl });

  app.post('/api/v1/session', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'startSession',
        tag: 'Sessions',
        summary: 'Sign in with an API key',
        description:
          'The answer sets a cookie that stands for the key for twelve hours, or until nothing was called for one. A page of another site cannot use it.',
        open: true,
      }),
      body: api.startSessionSchema,
      response: {
        200: api.sessionSchema.describe('Who signed in'),
        ...problems(['BAD_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const { token, signedIn } = await sessions.start(request.body.key);
      cookies.set(reply, token);
      return reply.header('cache-control', 'no-store').send(viewOf(signedIn));
    },
  });

  app.get('/api/v1/session', {
    schema: {
      ...operation({ id: 'getSession', tag: 'Sessions', summary: 'Who signed in, and what they may do' }),
      response: { 200: api.sessionSchema.describe('Who signed in'), ...problems(['NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return viewOf(signedInOf(request));
    },
  });

  app.post('/api/v1/session::confirm', {
    schema: {
      ...operation({
        id: 'confirmSession',
        tag: 'Sessions',
        summary: 'Show the key again, before something that cannot be undone',
      }),
      body: api.startSessionSchema,
      response: {
        200: api.sessionSchema.describe('Who signed in'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return viewOf(await sessions.confirm(signedInOf(request), request.body.key));
    },
  });

  app.delete('/api/v1/session', {
    schema: {
      ...operation({ id: 'endSession', tag: 'Sessions', summary: 'Sign out' }),
      response: { 204: z.undefined().describe('Signed out'), ...problems(['NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      await sessions.end(signedInOf(request));
      cookies.clear(reply);
      return reply.code(204).send();
    },
  });
}

function viewOf({ actor, scopes, teams, session }: SignedIn): api.SessionView {
  return {
    actor,
    name: session.name,
    role: session.role,
    scopes: [...scopes],
    teams: teams === null ? null : [...teams],
    expires_at: session.expiresAt.toISOString(),
    confirmed_until: new Date(session.confirmedAt.getTime() + CONFIRMED_MILLISECONDS).toISOString(),
    confirm_by: session.role === null ? 'key' : 'sign_in',
  };
}

function signedInOf(request: FastifyRequest): SignedIn {
  const principal = principalOf(request);
  if (!('session' in principal))
    throw new HabeasError('NOT_FOUND', 'This call came with a key, not in a session.');
  return principal as SignedIn;
}
