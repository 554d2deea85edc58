import { randomUUID } from 'node:crypto';
import type { HttpServer } from './operation.ts';

/** The id of one call; stands in its log line and in a problem document. */
export function newRequestId(): string {
  return randomUUID();
}

/** One line for each answer: the route as it is declared, never the URL, the query or the body. */
export function logRequests(app: HttpServer): void {
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
      },
      'answered',
    );
  });
}
