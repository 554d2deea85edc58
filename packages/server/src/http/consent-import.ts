import { api } from '@habeas/contract';
import * as z from 'zod';
import { parquetText } from '../consent/index.ts';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const listSchema = z
  .custom<Buffer>((value) => Buffer.isBuffer(value))
  .meta({ type: 'string', contentMediaType: 'text/csv' });
const PARQUET = 'application/vnd.apache.parquet';
const TYPES = ['text/csv', 'application/x-ndjson', PARQUET] as const;
/** Of the rows of a Parquet file, which may be packed well. */
const MOST_UNPACKED_BYTES = 8 * api.MAX_CONSENT_IMPORT_BYTES;
const UNPACK_MILLISECONDS = 60_000;
const headers = z.looseObject({ 'content-type': z.string().max(200) });

/** `POST /api/v1/consent:import`: signals of the rows of a list. */
export async function consentImportRoutes(
  app: HttpServer,
  { consent }: Pick<Application, 'consent'>,
): Promise<void> {
  await app.register(async (scope: HttpServer) => {
    scope.removeAllContentTypeParsers();
    const parser = { parseAs: 'buffer' as const, bodyLimit: api.MAX_CONSENT_IMPORT_BYTES };
    scope.addContentTypeParser([...TYPES], parser, (_request, body, done) => done(null, body));
    scope.post('/api/v1/consent::import', {
      bodyLimit: api.MAX_CONSENT_IMPORT_BYTES,
      schema: {
        ...operation({
          id: 'importConsent',
          tag: 'Consent',
          summary: 'Store what people said as a list has it (CSV, JSON lines or Parquet)',
          description:
            'Up to 10,000 rows, 8 MiB at most, in UTF-8; a longer list is sent in pieces, of CSV each with the header; lines of Parquet are its rows, from 1. Rows that are wrong are told by their lines, and do not keep the others from being stored. Sending the same rows under the same name again changes nothing.',
        }),
        consumes: [...TYPES],
        headers,
        querystring: api.consentImportQuerySchema,
        body: listSchema,
        response: {
          200: api.consentImportResultSchema.describe('What became of the rows'),
          ...problems(['BAD_INPUT', 'PAYLOAD_TOO_LARGE']),
        },
      },
      handler: async (request) => {
        const type = request.headers['content-type'];
        return consent.importRows(callerOf(request), {
          ...request.query,
          format: type.startsWith('text/csv') ? 'csv' : 'json-lines',
          text: type.startsWith(PARQUET) ? await unpacked(request.body) : request.body.toString('utf8'),
        });
      },
    });
  });
}

function unpacked(body: Buffer): Promise<string> {
  return parquetText(body, {
    mostRows: api.MAX_CONSENT_IMPORT_ROWS,
    mostBytes: MOST_UNPACKED_BYTES,
    signal: AbortSignal.timeout(UNPACK_MILLISECONDS),
  });
}
