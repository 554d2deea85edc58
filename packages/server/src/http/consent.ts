import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** A thousand signals with their notices. */
const BODY_LIMIT_BYTES = 1024 * 1024;

/** `/api/v1/consent` and `/api/v1/purposes`. Identities stand in bodies, never in addresses. */
export function consentRoutes(
  app: HttpServer,
  { consent, consentReceipts }: Pick<Application, 'consent' | 'consentReceipts'>,
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
