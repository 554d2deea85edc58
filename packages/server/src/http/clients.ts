import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { clientIdParams } from './params.ts';

/** `/api/v1/clients`: addresses that teams published, who approved them, and how they know our calls. */
export function clientRoutes(
  app: HttpServer,
  { map, publicKeys }: Pick<Application, 'map' | 'publicKeys'>,
): void {
  app.get('/api/v1/public-keys', {
    schema: {
      ...operation({
        id: 'listPublicKeys',
        tag: 'Clients',
        summary: "List the public keys by which services know this server's calls",
      }),
      response: { 200: api.publicKeyListSchema.describe('All keys, newest first'), ...problems() },
    },
    handler: async () => ({ items: [...(await publicKeys())] }),
  });

  app.get('/api/v1/clients', {
    schema: {
      ...operation({ id: 'listClients', tag: 'Clients', summary: 'List the addresses that teams published' }),
      response: { 200: api.clientListSchema.describe('All clients'), ...problems() },
    },
    handler: async () => ({ items: [...(await map.listClients())] }),
  });

  for (const [verb, decision, summary] of [
    ['approve', 'approved', 'Let Habeas send personal data to this address'],
    ['reject', 'rejected', 'Never send anything to this address'],
  ] as const) {
    app.post(`/api/v1/clients/:id([a-z0-9_]+)::${verb}`, {
      schema: {
        ...operation({ id: `${verb}Client`, tag: 'Clients', summary }),
        params: clientIdParams,
        body: api.decideClientSchema,
        response: {
          200: api.clientSchema.describe('The client as it is now'),
          ...problems(['NOT_FOUND', 'CONFLICT']),
        },
      },
      handler: (request) =>
        map.decideClient({
          id: request.params.id,
          decision,
          actor: callerOf(request).actor,
          reason: request.body?.reason,
        }),
    });
  }
}
