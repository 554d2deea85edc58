import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams, taskIdParams } from './params.ts';

/** `/api/v1/requests/{id}/tasks`: the steps of a request. */
export function taskRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.get('/api/v1/failing-systems', {
    schema: {
      ...operation({
        id: 'listFailingSystems',
        tag: 'Tasks',
        summary: 'Systems whose tasks fail now',
        description:
          'With how many requests wait for them, and what they answered. Those with the most tasks come first.',
      }),
      response: { 200: api.failingSystemListSchema.describe('100 at most'), ...problems() },
    },
    handler: async (request) => ({ items: [...(await requests.failingSystems(callerOf(request)))] }),
  });

  app.get('/api/v1/requests/:id/tasks', {
    schema: {
      ...operation({
        id: 'listTasks',
        tag: 'Tasks',
        summary: 'List the tasks of a request in the order of its plan',
      }),
      params: requestIdParams,
      response: { 200: api.taskListSchema.describe('All tasks of the request'), ...problems(['NOT_FOUND']) },
    },
    handler: async (request) => ({
      items: [...(await requests.tasks(callerOf(request), request.params.id))],
    }),
  });

  app.post('/api/v1/requests/:id/tasks/:taskId([a-z0-9_]+)::retry', {
    schema: {
      ...operation({ id: 'retryTask', tag: 'Tasks', summary: 'Try a blocked task again, now' }),
      params: taskIdParams,
      response: {
        200: api.taskSchema.describe('The task as it is now'),
        ...problems(['NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) =>
      requests.commandTask(callerOf(request), request.params.id, request.params.taskId, { type: 'retry' }),
  });

  app.post('/api/v1/requests/:id/tasks/:taskId([a-z0-9_]+)::skip', {
    schema: {
      ...operation({
        id: 'skipTask',
        tag: 'Tasks',
        summary: 'Go on without a blocked task',
        description: 'The receipt says that it was skipped, and why.',
      }),
      params: taskIdParams,
      body: api.reasonSchema,
      response: {
        200: api.taskSchema.describe('The task as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) =>
      requests.commandTask(callerOf(request), request.params.id, request.params.taskId, {
        type: 'skip',
        reason: request.body.reason,
      }),
  });
}
