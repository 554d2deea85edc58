import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const csvSchema = z
  .custom<Buffer>((value) => Buffer.isBuffer(value))
  .meta({ type: 'string', contentMediaType: 'text/csv' });

/** `POST /api/v1/requests:import`: requests of the rows of a list. */
export async function importRoutes(
  app: HttpServer,
  { imports }: Pick<Application, 'imports'>,
): Promise<void> {
  await app.register(async (scope: HttpServer) => {
    scope.removeAllContentTypeParsers();
    const parser = { parseAs: 'buffer' as const, bodyLimit: api.MAX_IMPORT_BYTES };
    scope.addContentTypeParser('text/csv', parser, (_request, body, done) => done(null, body));
    scope.post('/api/v1/requests::import', {
      bodyLimit: api.MAX_IMPORT_BYTES,
      schema: {
        ...operation({
          id: 'importRequests',
          tag: 'Requests',
          summary: 'Make a request of each row of a list (CSV)',
          description:
            'A header and up to 2,000 rows, 1 MiB at most, as text/csv in UTF-8; a longer list is sent in pieces, each with the header. Sending the same rows under the same name again makes nothing new.',
        }),
        consumes: ['text/csv'],
        querystring: api.importQuerySchema,
        body: csvSchema,
        response: {
          200: api.importResultSchema.describe('What became of each row'),
          ...problems(['BAD_INPUT', 'PAYLOAD_TOO_LARGE']),
        },
      },
      handler: (request) =>
        imports.importRows(callerOf(request), { query: request.query, body: request.body }),
    });
  });
}
