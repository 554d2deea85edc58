import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { partnerIdParams } from './params.ts';

/** `/api/v1/partners`: other organizations' systems that may send requests. */
export function partnerRoutes(app: HttpServer, { partners }: Pick<Application, 'partners'>): void {
  const { registry } = partners;

  app.get('/api/v1/partners', {
    schema: {
      ...operation({
        id: 'listPartners',
        tag: 'Partners',
        summary: 'List controllers and agents, newest first, without their tokens',
      }),
      response: { 200: api.partnerListSchema.describe('All partners, revoked ones too'), ...problems() },
    },
    handler: async () => ({ items: [...(await registry.list())] }),
  });

  app.post('/api/v1/partners/controllers', {
    schema: {
      ...operation({
        id: 'registerController',
        tag: 'Partners',
        summary: 'Register a controller that sends requests by OpenDSR',
        description: 'Registering it again gives it a new token, and from then on the former one is refused.',
      }),
      body: api.createControllerSchema,
      response: {
        201: api.newControllerSchema.describe('The controller with its token'),
        ...problems(['BAD_INPUT']),
      },
    },
    handler: async (request, reply) => {
      const { controller_id: controllerId, name, callback_origins: callbackOrigins } = request.body;
      const made = await registry.registerController(callerOf(request).actor, {
        controllerId,
        name,
        callbackOrigins,
      });
      return reply.code(201).header('cache-control', 'no-store').send(made);
    },
  });

  app.post('/api/v1/partners/agents', {
    schema: {
      ...operation({
        id: 'registerAgents',
        tag: 'Partners',
        summary: 'Register agents of the Data Rights Protocol',
        description:
          'Entries as the service directory has them. An agent whose key changed has to set up its token again.',
      }),
      body: api.registerAgentsSchema,
      response: {
        200: api.partnerListSchema.describe('The agents as they are now'),
        ...problems(['BAD_INPUT']),
      },
    },
    handler: async (request) => ({
      items: [...(await registry.registerAgents(callerOf(request).actor, request.body.agents))],
    }),
  });

  app.post('/api/v1/partners/:id([a-z0-9_]+)::allow-callbacks', {
    schema: {
      ...operation({
        id: 'allowCallbacks',
        tag: 'Partners',
        summary: 'Say where the callbacks of a partner may go',
      }),
      params: partnerIdParams,
      body: api.allowCallbacksSchema,
      response: {
        200: api.partnerSchema.describe('The partner as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: (request) =>
      registry.allowCallbacks(callerOf(request).actor, request.params.id, request.body.callback_origins),
  });

  app.delete('/api/v1/partners/:id', {
    schema: {
      ...operation({
        id: 'revokePartner',
        tag: 'Partners',
        summary: 'Revoke a partner: from now on nothing of it is taken',
        description: 'What it asked for before goes on; it is not told of it any more.',
      }),
      params: partnerIdParams,
      response: { 200: api.partnerSchema.describe('The partner as it is now'), ...problems(['NOT_FOUND']) },
    },
    handler: (request) => registry.revoke(callerOf(request).actor, request.params.id),
  });
}
