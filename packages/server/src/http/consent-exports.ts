import { Readable } from 'node:stream';
import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { consentExportIdParams } from './params.ts';

const fileSchema = z
  .custom<Readable>()
  .meta({ type: 'string', contentMediaType: 'application/octet-stream' });

/** `/api/v1/consent-exports`: who agreed or refused, for engines outside. */
export function consentExportRoutes(
  app: HttpServer,
  { consentExports }: Pick<Application, 'consentExports'>,
): void {
  app.post('/api/v1/consent-exports', {
    schema: {
      ...operation({
        id: 'exportConsent',
        tag: 'Consent',
        summary: 'Export who agreed to a purpose, or refused it, as a file',
        description:
          'Streams the file; `Habeas-Export-Id` names it. Its signed manifest is there once the last byte has been sent, and a file without a manifest is to be used for nothing.',
      }),
      body: api.exportConsentSchema,
      response: {
        200: { description: 'The file', content: { 'application/octet-stream': { schema: fileSchema } } },
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request, reply) => {
      const { id, stream } = await consentExports.open(callerOf(request), request.body);
      return reply
        .type('application/octet-stream')
        .header('habeas-export-id', id)
        .header('cache-control', 'no-store')
        .send(Readable.from(stream, { objectMode: false }));
    },
  });

  app.get('/api/v1/consent-exports/:id', {
    schema: {
      ...operation({
        id: 'getConsentExport',
        tag: 'Consent',
        summary: 'Get the signed manifest of an export',
      }),
      params: consentExportIdParams,
      response: { 200: api.consentExportSchema.describe('The manifest'), ...problems(['NOT_FOUND']) },
    },
    handler: (request) => consentExports.manifest(callerOf(request).organizationId, request.params.id),
  });
}
