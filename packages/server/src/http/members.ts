import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { principalOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { memberIdParams } from './params.ts';

/** `/api/v1/members`: people who sign in by themselves. */
export function memberRoutes(app: HttpServer, { members }: Pick<Application, 'members'>): void {
  app.get('/api/v1/members', {
    schema: {
      ...operation({ id: 'listMembers', tag: 'Members', summary: 'List the people who may sign in' }),
      response: { 200: api.memberListSchema.describe('All of them, oldest first'), ...problems() },
    },
    handler: async () => ({ items: [...(await members.list())] }),
  });

  app.post('/api/v1/members', {
    schema: {
      ...operation({
        id: 'inviteMember',
        tag: 'Members',
        summary: 'Let somebody sign in, by their address',
        description: 'No mail is sent. Whoever the sign-in vouches for under this address gets in.',
      }),
      body: api.inviteMemberSchema,
      response: {
        201: api.memberSchema.describe('The member'),
        ...problems(['BAD_INPUT', 'FORBIDDEN', 'CONFLICT']),
      },
    },
    handler: async (request, reply) => {
      const made = await members.invite(request.body, principalOf(request));
      return reply.code(201).send(made);
    },
  });

  app.patch('/api/v1/members/:id', {
    schema: {
      ...operation({
        id: 'changeMember',
        tag: 'Members',
        summary: 'Change the role or the teams of a member, from their next call on',
      }),
      params: memberIdParams,
      body: api.changeMemberSchema,
      response: {
        200: api.memberSchema.describe('The member as they are now'),
        ...problems(['BAD_INPUT', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) => members.change(request.params.id, request.body, principalOf(request)),
  });

  app.delete('/api/v1/members/:id', {
    schema: {
      ...operation({
        id: 'removeMember',
        tag: 'Members',
        summary: 'Remove a member: their sessions end, their address and name are forgotten',
        description: 'Whoever is in a group that has a role comes back with their next sign-in.',
      }),
      params: memberIdParams,
      response: {
        204: z.undefined().describe('Removed'),
        ...problems(['FORBIDDEN', 'NOT_FOUND']),
      },
    },
    handler: async (request, reply) => {
      await members.remove(request.params.id, principalOf(request));
      return reply.code(204).send();
    },
  });
}
