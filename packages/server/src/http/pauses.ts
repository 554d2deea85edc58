import { api } from '@habeas/contract';
import type { PauseTarget } from '../requests/index.ts';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `/api/v1/pauses`: the switch that stops work. */
export function pauseRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  const { pauses } = requests;
  const all = async () => ({ items: [...(await pauses.list())] });

  app.get('/api/v1/pauses', {
    schema: {
      ...operation({ id: 'listPauses', tag: 'Pauses', summary: 'What is paused, by whom and why' }),
      response: {
        200: api.pauseListSchema.describe('All pauses that concern the organization'),
        ...problems(),
      },
    },
    handler: all,
  });

  app.post('/api/v1/pauses', {
    schema: {
      ...operation({
        id: 'pause',
        tag: 'Pauses',
        summary: 'Stop all work, or the work on one system',
        description:
          'Within a second no server starts a task of it any more; tasks that run end. Requests are still received and planned. Deadlines go on.',
      }),
      body: api.createPauseSchema,
      response: {
        200: api.pauseListSchema.describe('What is paused now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => {
      const { system, reason } = request.body;
      await pauses.pause(targetOf(system), { actor: callerOf(request).actor, reason });
      return all();
    },
  });

  app.post('/api/v1/pauses::resume', {
    schema: {
      ...operation({
        id: 'resume',
        tag: 'Pauses',
        summary: 'End a pause: work goes on where it was',
        description: 'What else is paused stays paused: a system, or the whole installation.',
      }),
      body: api.resumeSchema,
      response: { 200: api.pauseListSchema.describe('What is paused now'), ...problems(['BAD_INPUT']) },
    },
    handler: async (request) => {
      await pauses.resume(targetOf(request.body.system), { actor: callerOf(request).actor });
      return all();
    },
  });
}

function targetOf(system: string | null): PauseTarget {
  return system === null ? { scope: 'organization' } : { scope: 'system', system };
}
