import { api } from '@habeas/contract';
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import * as z from 'zod';
import { HabeasError } from '../foundation/index.ts';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { hostOf } from './same-origin.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Pages of the origins of `consent.origins` may call it. */
    crossOrigin?: true;
  }
}

/** Twenty choices of 63 purposes with their notices. */
const BODY_LIMIT_BYTES = 64 * 1024;
const CONFIG = { open: true, crossOrigin: true } as const;

const headers = z.object({
  'sec-gpc': z.string().max(10).optional().describe('`1`: Global Privacy Control'),
  'accept-language': z.string().max(1_000).optional(),
});

/**
 * Lets pages of the configured origins read answers of the routes that are for them (Fetch standard §3.2), refusals of a limit
 * included. Nothing here depends on cookies, and none may be sent. Throws FORBIDDEN for other pages.
 */
export function allowOrigins({ consentTag }: Pick<Application, 'consentTag'>) {
  const allow = (request: FastifyRequest, reply: FastifyReply): void => {
    const { origin, host } = request.headers;
    reply.header('vary', 'origin, sec-gpc, accept-language');
    if (origin === undefined || hostOf(origin) === host) return;
    if (!consentTag.origins.has(origin))
      throw new HabeasError('FORBIDDEN', 'Pages of this site may not call here: consent.origins has others.');
    reply.header('access-control-allow-origin', origin);
  };
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    if (request.routeOptions.config.crossOrigin === true) allow(request, reply);
    done();
  };
}

/** `/consent/v1`: what the consent tag in a page or an app calls. Without a key, without cookies. */
export function consentTagRoutes(app: HttpServer, { consentTag }: Pick<Application, 'consentTag'>): void {
  app.get('/consent/v1/notice', {
    config: CONFIG,
    schema: {
      ...operation({
        id: 'getConsentNotice',
        tag: 'Consent',
        summary: 'What people are shown: purposes, texts and rules of where they are',
        open: true,
      }),
      headers,
      querystring: api.consentNoticeQuerySchema,
      response: {
        200: api.consentNoticeSchema.describe('The notice'),
        ...problems(['BAD_INPUT', 'FORBIDDEN', 'NOT_FOUND'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'public, max-age=300');
      const { 'sec-gpc': gpc, 'accept-language': acceptLanguage } = request.headers;
      return consentTag.notice({ ...request.query, acceptLanguage, gpc: gpc === '1' });
    },
  });

  app.post('/consent/v1/choices', {
    config: CONFIG,
    bodyLimit: BODY_LIMIT_BYTES,
    schema: {
      ...operation({
        id: 'chooseConsent',
        tag: 'Consent',
        summary: 'Take what somebody chose in a page or an app, and tell what it comes to',
        description:
          'For a random id that the browser keeps, or for somebody of whom the back end of the organization says in a signed token that they signed in. Nobody is believed to be who they are because they know an address.',
        open: true,
      }),
      headers,
      body: api.tagChoicesSchema,
      response: {
        200: api.tagChoicesAnswerSchema.describe('What all that they said comes to'),
        ...problems(['BAD_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'], {
          open: true,
        }),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const gpc = request.body.gpc || request.headers['sec-gpc'] === '1';
      return consentTag.choose({ ...request.body, gpc });
    },
  });

  for (const path of ['/consent/v1/notice', '/consent/v1/choices']) {
    app.options(path, { config: CONFIG, schema: { hide: true } }, async (_request, reply) =>
      reply
        .code(204)
        .headers({
          'access-control-allow-methods': 'GET, POST',
          'access-control-allow-headers': 'content-type',
          'access-control-max-age': '86400',
        })
        .send(),
    );
  }
}
