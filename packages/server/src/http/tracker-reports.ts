import * as z from 'zod';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { rawBody, singleHeaders, takeRawBodies } from './raw-body.ts';

const MAX_BYTES = 64 * 1024;

const params = z.object({ name: z.string().max(100).describe('Of the tracker in the configuration') });

const headers = z.looseObject({
  'webhook-id': z.string().max(255).optional(),
  'webhook-timestamp': z.string().max(32).optional(),
  'webhook-signature': z.string().max(2_000).optional(),
});

/** `/api/v1/trackers/{name}:report`: a webhook tracker says what became of a ticket. It signs, and needs no API key. */
export async function trackerReportRoutes(
  app: HttpServer,
  { trackers }: Pick<Application, 'trackers'>,
): Promise<void> {
  // Only this route takes raw bytes, so it lives in a scope of its own.
  await app.register(async (scope: HttpServer) => {
    takeRawBodies(scope, MAX_BYTES);
    scope.post('/api/v1/trackers/:name([A-Za-z0-9_.-]+)::report', {
      config: { open: true },
      bodyLimit: MAX_BYTES,
      schema: {
        ...operation({
          id: 'reportTicket',
          tag: 'Tickets',
          summary: 'A tracker reports that a ticket was closed, rejected or opened again',
          description:
            'Signed after Standard Webhooks with the secret of the tracker: `{"data": {"ticket_id": "tsk_…", "state": "closed"}}`. The same `webhook-id` takes effect once.',
          open: true,
        }),
        params,
        headers,
        response: {
          204: z.undefined().describe('It took effect, or will when the request is no longer held'),
          ...problems(['BAD_INPUT', 'UNAUTHENTICATED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'], { open: true }),
        },
      },
      handler: async (request, reply) => {
        await trackers.report({
          tracker: request.params.name,
          headers: singleHeaders(request.raw.headers),
          body: rawBody(request.body),
        });
        return reply.code(204).send();
      },
    });
  });
}
