import type { Readable } from 'node:stream';
import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { toEventStream } from './event-stream.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const HEARTBEAT_MILLISECONDS = 15_000;

const position = z.string().regex(/^\d{1,15}$/, 'the id of an earlier event of this stream');

const querySchema = z.object({
  request_id: z.string().max(100).optional().describe('Only events of this request'),
  after: position
    .optional()
    .describe('Start after the event with this id; 0 for the first one. `Last-Event-ID` goes before it.'),
});
const headersSchema = z.looseObject({
  'last-event-id': position.optional().describe('Sent by a browser that connects again'),
});

/** What goes out is a stream; the document shows what one `data:` line of it holds. */
const streamSchema = z.union([api.streamEventSchema, z.custom<Readable>()]);

export interface EventRouteOptions {
  /** How often a comment goes out. (Default: 15 seconds) */
  readonly heartbeatMilliseconds?: number | undefined;
}

/** `GET /api/v1/events`: what happens, as it happens (server-sent events). */
export function eventRoutes(
  app: HttpServer,
  { feed }: Pick<Application, 'feed'>,
  options: EventRouteOptions = {},
): void {
  const open = new Set<AbortController>();
  // Fastify waits for open answers when it closes; these would never end by themselves.
  app.addHook('preClose', async () => {
    for (const controller of open) controller.abort();
  });

  app.get('/api/v1/events', {
    schema: {
      ...operation({
        id: 'streamEvents',
        tag: 'Events',
        summary: 'Follow what happens (server-sent events)',
        description:
          'Each event has ids, counts and states, never personal data. Without `after` and `Last-Event-ID` the stream starts now.',
      }),
      querystring: querySchema,
      headers: headersSchema,
      response: {
        200: { description: 'The stream', content: { 'text/event-stream': { schema: streamSchema } } },
        ...problems(['BAD_INPUT']),
      },
    },
    handler: async (request, reply) => {
      const controller = new AbortController();
      open.add(controller);
      request.raw.socket.once('close', () => controller.abort());
      controller.signal.addEventListener('abort', () => open.delete(controller));
      const after = request.headers['last-event-id'] ?? request.query.after;
      const stream = toEventStream({
        events: feed.subscribe({
          organizationId: callerOf(request).organizationId,
          requestId: request.query.request_id,
          after: after === undefined ? undefined : Number(after),
          signal: controller.signal,
        }),
        heartbeat: options.heartbeatMilliseconds ?? HEARTBEAT_MILLISECONDS,
        signal: controller.signal,
        onError: (err) => request.log.error({ err }, 'event stream failed'),
      });
      stream.once('close', () => controller.abort());
      reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-cache, no-transform')
        .header('x-accel-buffering', 'no')
        // Nobody sends a second call over it, and a server that stops need not wait until it times out.
        .header('connection', 'close');
      return reply.send(stream);
    },
  });
}
