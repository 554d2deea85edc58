import { randomUUID } from 'node:crypto';
import type { Logger } from '../foundation/index.ts';
import type { HttpServer } from './operation.ts';

/** The id of one call; stands in its log line and in a problem document. */
export function newRequestId(): string {
  return randomUUID();
}

/** One line for each answer: the route as it is declared, never the URL, the query or the body. */
export function logRequests(app: HttpServer, logger: Logger): void {
  // None of these fields can hold what has to be taken out, and looking for it in each takes longer than all else about the line.
  const lines = logger.child({}, { redact: [] });
  app.addHook('onResponse', (request, reply, done) => {
    lines.info(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
      },
      'answered',
    );
    done();
  });
}
