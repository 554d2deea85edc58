import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Identity } from '../catalog/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** A thousand signals with their notices. */
const BODY_LIMIT_BYTES = 1024 * 1024;

const IDENTITY_HEADER = /^[a-z][a-z0-9_]{0,62}=(?:[^%\s]|%[0-9A-Fa-f]{2})+$/;

/** Throws BAD_INPUT for bytes that are no UTF-8, without repeating them. */
function identityIn(header: string): Identity {
  const end = header.indexOf('=');
  let value: string;
  try {
    value = decodeURIComponent(header.slice(end + 1));
  } catch {
    throw new HabeasError('BAD_INPUT', 'habeas-identity: the value is not percent-encoded UTF-8.');
  }
  const identity = api.readConsentSchema.shape.identity.safeParse({ type: header.slice(0, end), value });
  if (!identity.success) throw new HabeasError('BAD_INPUT', 'habeas-identity: there is no such identity.');
  return identity.data;
}

/** `/api/v1/consent` and `/api/v1/purposes`. Identities stand in bodies, never in addresses. */
export function consentRoutes(
  app: HttpServer,
  {
    consent,
    consentNotices,
    consentReceipts,
  }: Pick<Application, 'consent' | 'consentNotices' | 'consentReceipts'>,
): void {
  app.post('/api/v1/consent', {
    bodyLimit: BODY_LIMIT_BYTES,
    schema: {
      ...operation({
        id: 'recordConsent',
        tag: 'Consent',
        summary: 'Store what people said about purposes',
        description:
          'Up to 1,000 signals, in any order: late ones and repeated ones come to the same. What can be stored is stored, and in the signature of its person, when the answer arrives; each signal has an outcome of its own.',
      }),
      body: api.recordConsentSchema,
      response: {
        200: api.consentOutcomesSchema.describe('What became of each signal'),
        ...problems(['BAD_INPUT', 'PAYLOAD_TOO_LARGE']),
      },
    },
    handler: async (request) => ({
      items: [...(await consent.record(callerOf(request), request.body.signals))],
    }),
  });

  app.post('/api/v1/consent::read', {
    schema: {
      ...operation({
        id: 'readConsent',
        tag: 'Consent',
        summary: 'Ask what the data of a person may be used for',
        description:
          'As it is, or as it was at a moment: then only what was said until that moment counts. Nobody learns whether the person is known.',
      }),
      body: api.readConsentSchema,
      response: { 200: api.consentViewSchema.describe('Each purpose'), ...problems(['BAD_INPUT']) },
    },
    async handler(request) {
      const { identity, as_of: asOf } = request.body;
      const at = asOf === undefined ? undefined : new Date(asOf);
      return consent.read(callerOf(request).organizationId, identity, at);
    },
  });

  app.get('/api/v1/consent', {
    schema: {
      ...operation({
        id: 'getConsent',
        tag: 'Consent',
        summary: 'Ask what the data of a person may be used for, by a call that may be cached and repeated',
        description:
          'The same answer as `consent:read`. Who it is stands in the header `habeas-identity`, because addresses of calls are written into logs.',
      }),
      headers: z.object({
        'habeas-identity': z
          .string()
          .max(4_000)
          .regex(IDENTITY_HEADER, 'a type, = and a percent-encoded value: email=ada%40example.org')
          .describe('Type and value of an identity, percent-encoded: `email=ada%40example.org`'),
      }),
      querystring: z.strictObject({ as_of: api.readConsentSchema.shape.as_of }),
      response: { 200: api.consentViewSchema.describe('Each purpose'), ...problems(['BAD_INPUT']) },
    },
    async handler(request, reply) {
      reply.header('cache-control', 'private, no-cache').header('vary', 'habeas-identity');
      const { as_of: asOf } = request.query;
      const at = asOf === undefined ? undefined : new Date(asOf);
      const identity = identityIn(request.headers['habeas-identity']);
      return consent.read(callerOf(request).organizationId, identity, at);
    },
  });

  app.get('/api/v1/notices/:version', {
    schema: {
      ...operation({
        id: 'getConsentNoticeTexts',
        tag: 'Consent',
        summary: 'Read what people were shown under a version of the notice, in all languages',
      }),
      params: z.object({ version: z.string().max(100).describe('As it stands in signals and receipts') }),
      response: {
        200: api.consentNoticeTextsSchema.describe('The texts'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: (request) => consentNotices.get(callerOf(request).organizationId, request.params.version),
  });

  app.get('/.well-known/gpc.json', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'getGpcSupport',
        tag: 'Consent',
        summary: 'Whether Global Privacy Control is heeded',
        description: 'For a proxy that serves it at the same path of your site (W3C Global Privacy Control).',
        open: true,
      }),
      response: {
        200: api.gpcSupportSchema.describe('Whether it is'),
        ...problems(['NOT_FOUND'], { open: true }),
      },
    },
    async handler(_request, reply) {
      const support = await consentNotices.gpc();
      if (support === undefined) throw new HabeasError('NOT_FOUND', 'There are no purposes.');
      reply.header('cache-control', 'public, max-age=3600');
      return { gpc: support.gpc, lastUpdate: support.since.toISOString().slice(0, 10) };
    },
  });

  app.post('/api/v1/consent::history', {
    schema: {
      ...operation({
        id: 'readConsentHistory',
        tag: 'Consent',
        summary: 'Read all that a person said, in the order in which they said it',
      }),
      body: api.consentHistoryQuerySchema,
      response: { 200: api.consentHistorySchema.describe('All signals'), ...problems(['BAD_INPUT']) },
    },
    async handler(request) {
      const { items } = await consent.history(callerOf(request).organizationId, request.body.identity);
      return { items: [...items] };
    },
  });

  app.post('/api/v1/consent::receipt', {
    schema: {
      ...operation({
        id: 'getConsentReceipt',
        tag: 'Consent',
        summary: 'Get the signed receipt of what a person said',
        description:
          'After ISO/IEC TS 27560, in JSON-LD with the Data Privacy Vocabulary. `habeas verify` proves it without this server.',
      }),
      body: api.consentReceiptQuerySchema,
      response: {
        200: api.consentReceiptSchema.describe('The receipt, with the proof that the log has it'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) =>
      consentReceipts.issue(callerOf(request), {
        identity: request.body.identity,
        eventId: request.body.event_id,
      }),
  });

  app.get('/api/v1/purposes', {
    schema: {
      ...operation({
        id: 'listPurposes',
        tag: 'Consent',
        summary: 'List what data may be used for',
        description: 'As `purposes.yaml` describes them.',
      }),
      response: { 200: api.purposeListSchema.describe('All purposes'), ...problems() },
    },
    handler: async () => ({ items: [...consent.purposes] }),
  });
}
