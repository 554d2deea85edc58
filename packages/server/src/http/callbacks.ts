import * as z from 'zod';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { rawBody, singleHeaders, takeRawBodies } from './raw-body.ts';

const MAX_BYTES = 256 * 1024;

const params = z.object({
  taskId: z.string().max(100).describe('Id of the task that waits for the service'),
});

const headers = z.looseObject({
  'webhook-id': z.string().max(255).optional(),
  'webhook-timestamp': z.string().max(32).optional(),
  'webhook-signature': z.string().max(2_000).optional(),
});

/**
 * `/api/v1/callbacks/{taskId}`: a service says that its work ended. It has no API key; it signs the body with the secret
 * of that one task (Standard Webhooks), so the body is passed on byte by byte.
 */
export async function callbackRoutes(
  app: HttpServer,
  { requests }: Pick<Application, 'requests'>,
): Promise<void> {
  // Only these routes take raw bytes, so they live in a scope of their own.
  await app.register(async (scope: HttpServer) => {
    takeRawBodies(scope, MAX_BYTES);
    scope.post('/api/v1/callbacks/:taskId', {
      config: { open: true },
      bodyLimit: MAX_BYTES,
      schema: {
        ...operation({
          id: 'receiveCallback',
          tag: 'Tasks',
          summary: 'A service reports that an operation ended',
          description:
            'Signed after Standard Webhooks with the secret that the service got with the operation. Habeas does not take the word for it: it asks the service itself.',
          open: true,
        }),
        params,
        headers,
        response: {
          204: z.undefined().describe('Taken'),
          ...problems(['UNAUTHENTICATED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'], { open: true }),
        },
      },
      handler: async (request, reply) => {
        await requests.systemCallback({
          taskId: request.params.taskId,
          headers: singleHeaders(request.raw.headers),
          body: rawBody(request.body),
        });
        return reply.code(204).send();
      },
    });
  });
}
