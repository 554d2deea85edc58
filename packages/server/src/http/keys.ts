import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf, principalOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { keyIdParams } from './params.ts';

/** `/api/v1/api-keys`: who may call. */
export function keyRoutes(app: HttpServer, { keys }: Pick<Application, 'keys'>): void {
  app.get('/api/v1/api-keys', {
    schema: {
      ...operation({
        id: 'listApiKeys',
        tag: 'Keys',
        summary: 'List the API keys, newest first, without the keys themselves',
        description:
          'Keys that were revoked or have expired stay in the list, because audit entries name them.',
      }),
      response: { 200: api.apiKeyListSchema.describe('All keys'), ...problems() },
    },
    handler: async () => ({ items: [...(await keys.list())] }),
  });

  app.post('/api/v1/api-keys', {
    schema: {
      ...operation({
        id: 'createApiKey',
        tag: 'Keys',
        summary: 'Make an API key, which this answer alone shows',
      }),
      body: api.createApiKeySchema,
      response: { 201: api.newApiKeySchema.describe('The key'), ...problems(['BAD_INPUT', 'FORBIDDEN']) },
    },
    handler: async (request, reply) => {
      const { name, expires_at, scopes, teams } = request.body;
      const maker = principalOf(request);
      const made = await keys.create({
        name,
        expiresAt: expires_at === null ? null : new Date(expires_at),
        scopes,
        teams,
        actor: maker.actor,
        maker,
      });
      return reply.code(201).header('cache-control', 'no-store').send(made);
    },
  });

  app.delete('/api/v1/api-keys/:id', {
    schema: {
      ...operation({
        id: 'revokeApiKey',
        tag: 'Keys',
        summary: 'Revoke an API key: from now on it is refused',
        description: 'Revoking again changes nothing. The last key that works cannot be revoked.',
      }),
      params: keyIdParams,
      response: {
        200: api.apiKeySchema.describe('The key as it is now'),
        ...problems(['NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) => keys.revoke({ id: request.params.id, actor: callerOf(request).actor }),
  });
}
