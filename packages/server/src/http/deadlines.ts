import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams } from './params.ts';

const WITHOUT_BODY = {
  'resume-clock': {
    id: 'resumeClock',
    summary: 'Let the clock of a request run on: the person answered',
  },
  acknowledge: { id: 'acknowledgeRequest', summary: 'Note that the person was told of the receipt' },
} as const;

/** `/api/v1/requests/{id}/deadline`: by when a request has to be answered, and all that moves that date. */
export function deadlineRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  const answers = {
    200: api.deadlineSchema.describe('The deadline as it is now, with all that moved it'),
    ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
  };
  app.get('/api/v1/requests/:id/deadline', {
    schema: {
      ...operation({
        id: 'getDeadline',
        tag: 'Requests',
        summary: 'By when a request has to be answered, how that is counted, and what moved it',
      }),
      params: requestIdParams,
      response: { 200: answers[200], ...problems(['NOT_FOUND']) },
    },
    handler: (request) => requests.deadline(callerOf(request), request.params.id),
  });

  app.post('/api/v1/requests/:id([a-z0-9_]+)::extend', {
    schema: {
      ...operation({
        id: 'extendDeadline',
        tag: 'Requests',
        summary: 'Extend the term of a request, and tell the person',
        description:
          'Once, as far as the law of the request allows, and within its own term. The event `request.extended` tells the person.',
      }),
      params: requestIdParams,
      body: api.extendSchema,
      response: answers,
    },
    handler: (request) =>
      requests.commandDeadline(callerOf(request), request.params.id, {
        type: 'extend',
        reason: request.body.reason,
      }),
  });

  app.post('/api/v1/requests/:id([a-z0-9_]+)::stop-clock', {
    schema: {
      ...operation({
        id: 'stopClock',
        tag: 'Requests',
        summary: 'Stop the clock of a request while the person is asked something',
        description: 'Only for the reasons that the law of the request knows.',
      }),
      params: requestIdParams,
      body: api.stopClockSchema,
      response: answers,
    },
    handler: (request) =>
      requests.commandDeadline(callerOf(request), request.params.id, {
        type: 'stop-clock',
        reason: request.body.reason,
      }),
  });

  for (const type of ['resume-clock', 'acknowledge'] as const) {
    app.post(`/api/v1/requests/:id([a-z0-9_]+)::${type}`, {
      schema: {
        ...operation({ ...WITHOUT_BODY[type], tag: 'Requests' }),
        params: requestIdParams,
        response: { 200: answers[200], ...problems(['NOT_FOUND', 'CONFLICT']) },
      },
      handler: (request) => requests.commandDeadline(callerOf(request), request.params.id, { type }),
    });
  }
}
