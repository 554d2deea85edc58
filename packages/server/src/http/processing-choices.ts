import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `POST /api/v1/processing-choices:check`: what services ask before they use data of a person. */
export function processingChoicesRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.post('/api/v1/processing-choices::check', {
    schema: {
      ...operation({
        id: 'checkProcessingChoices',
        tag: 'Processing choices',
        summary: 'Ask what the data of people may not be used for',
        description:
          'Restrictions, objections and opt-outs that requests made. Identities stand in the body, never in the address; nothing of the call is kept.',
      }),
      body: api.checkProcessingChoicesSchema,
      response: {
        200: api.processingChoicesListSchema.describe('One answer for each person, in order'),
        ...problems(['BAD_INPUT', 'PAYLOAD_TOO_LARGE']),
      },
    },
    handler: async (request) => {
      const people = request.body.people.map(({ identities }) => identities);
      return { people: [...(await requests.processingChoices(callerOf(request), people))] };
    },
  });
}
