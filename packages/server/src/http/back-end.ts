import * as z from 'zod';
import type { Application } from './application.ts';
import { verificationOf } from './ask.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams } from './params.ts';
import { rawBody, singleHeaders, takeRawBodies } from './raw-body.ts';

const MAX_BYTES = 64 * 1024;

const headers = z.looseObject({
  'webhook-id': z.string().max(255).optional(),
  'webhook-timestamp': z.string().max(32).optional(),
  'webhook-signature': z.string().max(2_000).optional(),
});

/** `/api/v1/verifications/{id}`: the organization's back end answers about somebody who asks, signed. */
export async function backEndRoutes(
  app: HttpServer,
  { requests }: Pick<Application, 'requests'>,
): Promise<void> {
  await app.register(async (scope: HttpServer) => {
    takeRawBodies(scope, MAX_BYTES);
    scope.post('/api/v1/verifications/:id', {
      config: { open: true },
      bodyLimit: MAX_BYTES,
      schema: {
        ...operation({
          id: 'answerVerification',
          tag: 'People',
          summary: 'The back end asks, confirms or refuses',
          description:
            'Signed after Standard Webhooks with the secret of `intake.questions`. The body is a `VerificationAnswer`.',
          open: true,
        }),
        params: requestIdParams,
        headers,
        response: {
          204: z.undefined().describe('Taken'),
          ...problems(['BAD_INPUT', 'UNAUTHENTICATED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'], { open: true }),
        },
      },
      handler: async (request, reply) => {
        await verificationOf(requests).backEndAnswered({
          requestId: request.params.id,
          headers: singleHeaders(request.raw.headers),
          body: rawBody(request.body),
        });
        return reply.code(204).send();
      },
    });
  });
}
