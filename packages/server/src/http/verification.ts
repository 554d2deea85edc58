import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { verificationOf } from './ask.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams } from './params.ts';

/** What an officer sees and decides of somebody who asks by themselves. */
export function verificationRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.get('/api/v1/requests/:id/verification', {
    schema: {
      ...operation({
        id: 'getVerification',
        tag: 'Requests',
        summary: 'Read how far somebody got with proving who they are',
        description: 'Names an authorized agent, if there is one; the look is audited then.',
      }),
      params: requestIdParams,
      response: {
        200: api.verificationSchema.describe('How far they got'),
        ...problems(['NOT_FOUND']),
      },
    },
    handler: async (request) => verificationOf(requests).read(callerOf(request), request.params.id),
  });

  app.post('/api/v1/requests/:id([a-z0-9_]+)::verify', {
    schema: {
      ...operation({
        id: 'verifyRequest',
        tag: 'Requests',
        summary: 'Confirm who asks, after a look of your own',
        description:
          'Stands for every other check, and for all identities of the request. To refuse it, reject the request.',
      }),
      params: requestIdParams,
      body: api.reasonSchema,
      response: {
        200: api.requestSchema.describe('The request as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: async (request) => {
      const caller = callerOf(request);
      const { id } = request.params;
      await verificationOf(requests).approve(caller, id, request.body.reason);
      return requests.get(caller, id);
    },
  });

  app.get('/api/v1/requests/:id/mails', {
    schema: {
      ...operation({
        id: 'listPersonMails',
        tag: 'Requests',
        summary: 'List the mails to the person, and which came back',
      }),
      params: requestIdParams,
      response: {
        200: api.personMailListSchema.describe('Oldest first; without addresses'),
        ...problems(['NOT_FOUND']),
      },
    },
    handler: async (request) => ({
      items: [...(await requests.mails(callerOf(request), request.params.id))],
    }),
  });
}
