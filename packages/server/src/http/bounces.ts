import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { rawBody, takeRawBodies } from './raw-body.ts';

/** A notification may hold the whole mail that came back. */
const MAX_BYTES = 1024 * 1024;

/** `POST /api/v1/mails:bounce`: a mail that came back is handed in as it is. */
export async function bounceRoutes(
  app: HttpServer,
  { requests }: Pick<Application, 'requests'>,
): Promise<void> {
  await app.register(async (scope: HttpServer) => {
    takeRawBodies(scope, MAX_BYTES);
    scope.post('/api/v1/mails::bounce', {
      bodyLimit: MAX_BYTES,
      schema: {
        ...operation({
          id: 'recordBounce',
          tag: 'Requests',
          summary: 'Note a mail to a person that came back',
          description:
            'The body is the whole message, as `message/rfc822`: a delivery status notification (RFC 3464). Other mails are not kept.',
        }),
        response: {
          200: api.bounceOutcomeSchema.describe('What it was taken for'),
          ...problems(['PAYLOAD_TOO_LARGE']),
        },
      },
      handler: (request) => requests.recordBounce(callerOf(request), rawBody(request.body)),
    });
  });
}
