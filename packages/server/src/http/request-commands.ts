import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { refuseUnconfirmed } from './confirmation.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams } from './params.ts';

const WITH_REASON = {
  cancel: 'Cancel a request before anything was destroyed',
  hold: 'Hold a request, such as for a legal hold',
  reject: 'Reject a request',
} as const;

const WITHOUT_REASON = {
  release: 'Let a held request go on',
  approve: 'Approve a request that waits for approval',
} as const;

/** `POST /api/v1/requests/{id}:<verb>`: what a person decides about a request. */
export function requestCommandRoutes(
  app: HttpServer,
  { requests, clock }: Pick<Application, 'requests' | 'clock'>,
): void {
  for (const [type, summary] of entries(WITH_REASON)) {
    app.post(`/api/v1/requests/:id([a-z0-9_]+)::${type}`, {
      schema: {
        ...operation({ id: `${type}Request`, tag: 'Requests', summary }),
        params: requestIdParams,
        body: api.reasonSchema,
        response: {
          200: api.requestSchema.describe('The request as it is now'),
          ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
        },
      },
      handler: (request) =>
        requests.command(callerOf(request), request.params.id, { type, reason: request.body.reason }),
    });
  }
  app.post('/api/v1/requests/:id([a-z0-9_]+)::appeal', {
    schema: {
      ...operation({
        id: 'appealRequest',
        tag: 'Requests',
        summary: 'Appeal against a request that was denied, in whole or in part',
        description:
          'The same request once more, which waits until a person approves or rejects it, with the deadline that its law gives appeals. Once for each request: the same appeal comes again.',
      }),
      params: requestIdParams,
      response: {
        200: api.requestSchema.describe('The appeal that was made before'),
        201: api.requestSchema.describe('The new appeal'),
        ...problems(['NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: async (request, reply) => {
      const { request: made, replayed } = await requests.appeal(callerOf(request), request.params.id);
      return reply
        .header('location', `/api/v1/requests/${made.id}`)
        .code(replayed ? 200 : 201)
        .send(made);
    },
  });
  for (const [type, summary] of entries(WITHOUT_REASON)) {
    app.post(`/api/v1/requests/:id([a-z0-9_]+)::${type}`, {
      schema: {
        ...operation({ id: `${type}Request`, tag: 'Requests', summary }),
        params: requestIdParams,
        response: {
          200: api.requestSchema.describe('The request as it is now'),
          ...problems(['CONFIRMATION_NEEDED', 'NOT_FOUND', 'CONFLICT']),
        },
      },
      handler: (request) => {
        if (type === 'approve') refuseUnconfirmed(request, clock);
        return requests.command(callerOf(request), request.params.id, { type });
      },
    });
  }
}

function entries<Key extends string>(object: Readonly<Record<Key, string>>): readonly [Key, string][] {
  return Object.entries(object) as [Key, string][];
}
