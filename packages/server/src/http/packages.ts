import { Readable } from 'node:stream';
import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { beginDownload } from './byte-range.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { requestIdParams } from './params.ts';

const zipSchema = z.custom<Readable>().meta({ type: 'string', contentMediaType: 'application/zip' });
const CONTENT = {
  'application/zip': { schema: zipSchema },
  'application/octet-stream': { schema: zipSchema },
};

/** `/api/v1/requests/{id}/package`: the result of an access request, streamed. */
export function packageRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.get('/api/v1/requests/:id/package', {
    schema: {
      ...operation({
        id: 'downloadPackage',
        tag: 'Requests',
        summary: 'Download the package of an access request',
        description:
          'A zip of everything that was found; `Repr-Digest` (RFC 9530) has its SHA-256. With `form=age`, the file as it is stored, which any age tool opens with the key of `getPackageKey`. A download that broke goes on with `Range`.',
      }),
      params: requestIdParams,
      querystring: api.packageQuerySchema,
      response: {
        200: { description: 'The package', content: CONTENT },
        206: { description: 'The bytes that were asked for', content: CONTENT },
        ...problems([
          'NOT_FOUND',
          'CONFLICT',
          'KEY_DESTROYED',
          'RANGE_INVALID',
          'STORAGE_REFUSED',
          'STORAGE_UNREACHABLE',
        ]),
      },
    },
    handler: async (request, reply) => {
      const { form } = request.query;
      const found = await requests.openPackage(callerOf(request), request.params.id, form);
      const zip = form === 'zip';
      const range = beginDownload(request, reply, {
        bytes: found.bytes,
        tag: zip ? found.sha256 : `${found.id}.age`,
        name: zip ? `${found.id}.zip` : `${found.id}.zip.age`,
      });
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const bytes = await found.read(range, gone.signal);
      reply.type(zip ? 'application/zip' : 'application/octet-stream');
      if (zip)
        reply.header('repr-digest', `sha-256=:${Buffer.from(found.sha256, 'hex').toString('base64')}:`);
      return reply.send(Readable.from(bytes, { objectMode: false }));
    },
  });

  app.post('/api/v1/requests/:id([a-z0-9_]+)/package::key', {
    schema: {
      ...operation({
        id: 'getPackageKey',
        tag: 'Requests',
        summary: 'Get the key of a package, to hand it over with the sealed file',
        description:
          'Whoever has the file and the key reads everything. Who asked and when goes to the audit log.',
      }),
      params: requestIdParams,
      response: {
        200: api.packageKeySchema.describe('The key, for `age --decrypt --identity`'),
        ...problems(['NOT_FOUND', 'KEY_DESTROYED']),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return requests.packageKey(callerOf(request), request.params.id);
    },
  });
}
