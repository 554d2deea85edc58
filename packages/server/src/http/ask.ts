import { api } from '@habeas/contract';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { type ErrorCode, HabeasError } from '../foundation/index.ts';
import { preferredLanguage } from '../notify/index.ts';
import type { Verification } from '../requests/index.ts';
import type { Application } from './application.ts';
import { clientOf } from './client-of.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const headers = z.object({
  'accept-language': z
    .string()
    .max(1_000)
    .optional()
    .describe('Gives the language of mails where the body has none'),
});

/** `/api/v1/public/requests`: people ask by themselves. Without a key; what they hold is a token, which proves nothing. */
export function askRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.post('/api/v1/public/requests', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'ask',
        tag: 'People',
        summary: 'Ask without an API key',
        description:
          'Whoever asks has to prove who they are; nothing is looked up before. The answer is the same for people that the organization knows and others.',
        open: true,
      }),
      headers,
      body: api.askSchema,
      response: {
        202: api.newAskedSchema.describe('Taken; codes are on their way'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const language = request.body.language ?? preferredLanguage(request.headers['accept-language']);
      const asked = await verificationOf(requests).ask({
        ...request.body,
        language,
        client: clientOf(request),
      });
      return reply
        .code(202)
        .header(...NO_STORE)
        .send(asked);
    },
  });

  app.post('/api/v1/public/requests::resume', {
    config: { open: true },
    schema: {
      ...tokenOperation('resumeAsked', 'Read a request with its token'),
      body: api.resumeAskedSchema,
      response: askedResponse(),
    },
    handler: async (request, reply) =>
      reply.header(...NO_STORE).send(await verificationOf(requests).resume(callOf(request))),
  });

  app.post('/api/v1/public/requests::send-code', {
    config: { open: true },
    schema: {
      ...tokenOperation('sendCode', 'Have another code sent to an address'),
      body: api.sendCodeSchema,
      response: askedResponse('CONFLICT'),
    },
    handler: async (request, reply) => {
      const asked = await verificationOf(requests).sendCode(callOf(request), request.body.contact);
      return reply.header(...NO_STORE).send(asked);
    },
  });

  app.post('/api/v1/public/requests::prove', {
    config: { open: true },
    schema: {
      ...tokenOperation('prove', 'Prove an address with the code that was sent to it'),
      body: api.proveSchema,
      response: askedResponse('PROOF_REFUSED'),
    },
    handler: async (request, reply) => {
      const asked = await verificationOf(requests).prove(callOf(request), request.body);
      return reply.header(...NO_STORE).send(asked);
    },
  });

  app.post('/api/v1/public/requests::answer', {
    config: { open: true },
    schema: {
      ...tokenOperation('answerQuestions', 'Answer the questions of the organization'),
      body: api.answerQuestionsSchema,
      response: askedResponse('CONFLICT'),
    },
    handler: async (request, reply) => {
      const asked = await verificationOf(requests).answer(callOf(request), request.body.answers);
      return reply.header(...NO_STORE).send(asked);
    },
  });
}

const NO_STORE = ['cache-control', 'no-store'] as const;

function tokenOperation(id: string, summary: string) {
  return operation({ id, tag: 'People', summary, open: true });
}

function askedResponse(...errors: readonly ErrorCode[]) {
  return {
    200: api.askedSchema.describe('The request as it is now'),
    ...problems(['BAD_INPUT', 'NOT_FOUND', ...errors], { open: true }),
  };
}

function callOf(request: FastifyRequest & { readonly body: { readonly token: string } }) {
  return { token: request.body.token, client: clientOf(request) };
}

/** Throws NOT_FOUND where people cannot ask by themselves. */
export function verificationOf({
  verification,
}: Pick<Application['requests'], 'verification'>): Verification {
  if (verification === undefined)
    throw new HabeasError('NOT_FOUND', 'This organization takes requests in another way.');
  return verification;
}
