import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { connectionKeyParams } from './params.ts';

/** `/api/v1/connections`: the systems of the configuration. */
export function connectionRoutes(app: HttpServer, { connections }: Pick<Application, 'connections'>): void {
  app.get('/api/v1/connections', {
    schema: {
      ...operation({
        id: 'listConnections',
        tag: 'Connections',
        summary: 'List the systems that Habeas acts on',
        description: 'Addresses and passwords never come back.',
      }),
      response: { 200: api.connectionListSchema.describe('All connections'), ...problems() },
    },
    handler: async () => ({ items: [...connections.list()] }),
  });

  app.post('/api/v1/connections/:key([a-z0-9_-]+)::check', {
    schema: {
      ...operation({
        id: 'checkConnection',
        tag: 'Connections',
        summary: 'Reach a system and compare its schema with its datasets',
      }),
      params: connectionKeyParams,
      response: { 200: api.healthReportSchema.describe('What the check found'), ...problems(['NOT_FOUND']) },
    },
    handler: async (request) => {
      const health = await connections.check(request.params.key);
      return { ...health, problems: [...health.problems] };
    },
  });
}
