import { Readable } from 'node:stream';
import * as z from 'zod';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams } from './params.ts';

const zipSchema = z.custom<Readable>().meta({ type: 'string', contentMediaType: 'application/zip' });

/** `/api/v1/requests/{id}/package`: the result of an access request, streamed. */
export function packageRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.get('/api/v1/requests/:id/package', {
    schema: {
      ...operation({
        id: 'downloadPackage',
        tag: 'Requests',
        summary: 'Download the package of an access request',
        description: 'A zip of everything that was found. `Repr-Digest` (RFC 9530) has its SHA-256.',
      }),
      params: requestIdParams,
      response: {
        200: { description: 'The zip', content: { 'application/zip': { schema: zipSchema } } },
        ...problems(['NOT_FOUND', 'CONFLICT', 'KEY_DESTROYED']),
      },
    },
    handler: async (request, reply) => {
      const found = await requests.openPackage(callerOf(request), request.params.id);
      const digest = Buffer.from(found.sha256, 'hex').toString('base64');
      reply
        .type('application/zip')
        .header('content-length', found.bytes)
        .header('content-disposition', `attachment; filename="${found.id}.zip"`)
        .header('cache-control', 'no-store')
        .header('repr-digest', `sha-256=:${digest}:`);
      return reply.send(Readable.from(found.stream, { objectMode: false }));
    },
  });
}
