import { Readable } from 'node:stream';
import { api } from '@habeas/contract';
import * as z from 'zod';
import { EXPORT_FORMATS } from '../map/index.ts';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const textSchema = z.custom<Readable>().meta({ type: 'string' });

/** Every media type that an export may have. */
const content = Object.fromEntries(
  Object.values(EXPORT_FORMATS).map(({ mediaType }) => [
    mediaType.split(';')[0] ?? mediaType,
    { schema: mediaType === 'application/json' ? api.mapExportSchema : textSchema },
  ]),
);

/** `/api/v1/map/export`: the map as a file in one of many formats, streamed. */
export function mapExportRoutes(app: HttpServer, { mapExports }: Pick<Application, 'mapExports'>): void {
  app.get('/api/v1/map/export', {
    schema: {
      ...operation({
        id: 'exportMap',
        tag: 'Map',
        summary: 'Export the data map, or the record of processing, as a file',
        description:
          'Every format says when it was made, as of when, with which filter and how many. `Repr-Digest` (RFC 9530) has the SHA-256 of the file.',
      }),
      querystring: api.mapExportQuerySchema,
      response: {
        200: { description: 'The file', content },
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'RECORD_INVALID']),
      },
    },
    handler: async (request, reply) => {
      const { format, form, ...query } = request.query;
      const found = await mapExports.open({ format, form, query });
      const digest = Buffer.from(found.sha256, 'hex').toString('base64');
      reply
        .type(found.mediaType)
        .header('content-length', found.bytes)
        .header('content-disposition', `attachment; filename="${found.fileName}"`)
        .header('cache-control', 'no-store')
        .header('repr-digest', `sha-256=:${digest}:`);
      return reply.send(Readable.from(found.stream, { objectMode: false }));
    },
  });
}
