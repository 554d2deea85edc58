import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { eventView } from './event-stream.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams } from './params.ts';

const idempotencyKeySchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\x21-\x7e]+$/, 'visible ASCII characters only')
  .describe('Chosen by the caller: the same key with the same body gives the same request again');

/** `/api/v1/requests`: make, list and read requests, and decide about them. */
export function requestRoutes(
  app: HttpServer,
  { requests, feed }: Pick<Application, 'requests' | 'feed'>,
): void {
  app.post('/api/v1/requests', {
    schema: {
      ...operation({
        id: 'createRequest',
        tag: 'Requests',
        summary: 'Make a request about one person',
        description:
          'With `Idempotency-Key`, sending the same body again answers 200 with the request that exists.',
      }),
      headers: z.object({ 'idempotency-key': idempotencyKeySchema.optional() }),
      body: api.createRequestSchema,
      response: {
        200: api.requestSchema.describe('The request that this Idempotency-Key made before'),
        201: api.requestSchema.describe('The new request'),
        ...problems(['BAD_INPUT', 'IDEMPOTENCY_KEY_REUSED', 'PAYLOAD_TOO_LARGE']),
      },
    },
    handler: async (request, reply) => {
      const { right, identities, dry_run: dryRun, regime, subject_kind: subjectKind } = request.body;
      const { changes, purposes, lift, language } = request.body;
      const idempotencyKey = request.headers['idempotency-key'];
      const { request: made, replayed } = await requests.receive(callerOf(request), {
        right,
        identities,
        dryRun,
        regime,
        subjectKind,
        changes,
        purposes,
        lift,
        language,
        idempotencyKey,
      });
      return reply
        .header('location', `/api/v1/requests/${made.id}`)
        .header('idempotency-replayed', String(replayed))
        .code(replayed ? 200 : 201)
        .send(made);
    },
  });

  app.get('/api/v1/requests', {
    schema: {
      ...operation({ id: 'listRequests', tag: 'Requests', summary: 'List requests' }),
      querystring: api.listRequestsQuerySchema,
      response: { 200: api.requestPageSchema.describe('A page of requests'), ...problems(['BAD_INPUT']) },
    },
    handler: async (request) => {
      const { items, next } = await requests.list(callerOf(request), request.query);
      return { items: [...items], next };
    },
  });

  app.get('/api/v1/requests/:id', {
    schema: {
      ...operation({ id: 'getRequest', tag: 'Requests', summary: 'Read a request' }),
      params: requestIdParams,
      response: { 200: api.requestSchema.describe('The request'), ...problems(['NOT_FOUND']) },
    },
    handler: (request) => requests.get(callerOf(request), request.params.id),
  });

  app.get('/api/v1/requests/:id/events', {
    schema: {
      ...operation({
        id: 'listRequestEvents',
        tag: 'Requests',
        summary: 'List what happened to a request, as the stream of events told it',
        description: 'Oldest first, for 90 days. Ids, counts and states, never personal data.',
      }),
      params: requestIdParams,
      querystring: api.listEventsQuerySchema,
      response: {
        200: api.eventPageSchema.describe('A page of events'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => {
      const caller = callerOf(request);
      const { id: requestId } = request.params;
      const { cursor, limit } = request.query;
      // Throws for one that is not theirs.
      await requests.get(caller, requestId);
      const { organizationId } = caller;
      const after = Number(cursor ?? 0);
      const found = await feed.list({ organizationId, requestId, after, limit: limit + 1 });
      const page = found.slice(0, limit);
      const next = found.length > limit ? String(page.at(-1)?.sequence) : null;
      return { items: page.map(eventView), next };
    },
  });

  app.get('/api/v1/requests/:id/plan', {
    schema: {
      ...operation({ id: 'getRequestPlan', tag: 'Requests', summary: 'Read the frozen plan of a request' }),
      params: requestIdParams,
      response: {
        200: api.planSchema.describe('The plan as it was frozen'),
        ...problems(['NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) => requests.plan(callerOf(request), request.params.id),
  });

  app.get('/api/v1/requests/:id/receipt', {
    schema: {
      ...operation({
        id: 'getReceipt',
        tag: 'Requests',
        summary: 'Get the signed receipt of a finished request',
        description: 'Can be verified offline; holds no personal data.',
      }),
      params: requestIdParams,
      response: {
        200: api.receiptSchema.describe('The receipt with its signature'),
        ...problems(['NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) => requests.receipt(callerOf(request), request.params.id),
  });
}
