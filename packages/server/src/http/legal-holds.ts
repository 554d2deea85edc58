import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { holdIdParams } from './params.ts';

/** `/api/v1/legal-holds`: what must not be destroyed, whoever asks for it. */
export function legalHoldRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.post('/api/v1/legal-holds', {
    schema: {
      ...operation({
        id: 'placeLegalHold',
        tag: 'Legal holds',
        summary: 'Place a legal hold on a person, a system, a data category or everything',
        description:
          'Requests that would change what it covers are held before anything is destroyed; those that come later too.',
      }),
      body: api.placeHoldSchema,
      response: {
        201: api.legalHoldSchema.describe('The hold, with the requests that it holds'),
        ...problems(['BAD_INPUT']),
      },
    },
    handler: async (request, reply) => {
      const hold = await requests.legalHolds.place(callerOf(request), request.body);
      return reply.header('location', `/api/v1/legal-holds/${hold.id}`).code(201).send(hold);
    },
  });

  app.get('/api/v1/legal-holds', {
    schema: {
      ...operation({ id: 'listLegalHolds', tag: 'Legal holds', summary: 'List legal holds, newest first' }),
      querystring: api.listLegalHoldsQuerySchema,
      response: { 200: api.legalHoldPageSchema.describe('A page of holds'), ...problems(['BAD_INPUT']) },
    },
    handler: async (request) => {
      const { released, cursor, limit } = request.query;
      const { items, next } = await requests.legalHolds.list(callerOf(request), {
        released: released === undefined ? undefined : released === 'true',
        cursor,
        limit,
      });
      return { items: [...items], next };
    },
  });

  app.get('/api/v1/legal-holds/:id', {
    schema: {
      ...operation({ id: 'getLegalHold', tag: 'Legal holds', summary: 'Read a legal hold' }),
      params: holdIdParams,
      response: { 200: api.legalHoldSchema.describe('The hold'), ...problems(['NOT_FOUND']) },
    },
    handler: (request) => requests.legalHolds.get(callerOf(request), request.params.id),
  });

  app.post('/api/v1/legal-holds/:id([a-z0-9_]+)::release', {
    schema: {
      ...operation({
        id: 'releaseLegalHold',
        tag: 'Legal holds',
        summary: 'Release a legal hold',
        description: 'Requests that nothing else holds go on from where they were.',
      }),
      params: holdIdParams,
      body: api.reasonSchema,
      response: {
        200: api.legalHoldSchema.describe('The hold, released'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: (request) =>
      requests.legalHolds.release(callerOf(request), request.params.id, request.body.reason),
  });
}
