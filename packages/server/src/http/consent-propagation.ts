import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `/api/v1/consent/propagation`: what systems outside were told of what people agree to. */
export function consentPropagationRoutes(
  app: HttpServer,
  { propagation }: Pick<Application, 'propagation'>,
): void {
  app.get('/api/v1/consent/propagation', {
    schema: {
      ...operation({
        id: 'listConsentDestinations',
        tag: 'Consent',
        summary: 'List what is told what people agree to, and how far behind each is',
      }),
      response: { 200: api.consentDestinationListSchema.describe('All destinations'), ...problems() },
    },
    handler: async (request) => ({ items: [...(await propagation.list(callerOf(request).organizationId))] }),
  });

  app.get('/api/v1/consent/propagation/messages', {
    schema: {
      ...operation({
        id: 'listConsentMessages',
        tag: 'Consent',
        summary: 'List what a destination has not acknowledged, longest first',
        description: 'A message is about one person, whom this list does not name.',
      }),
      querystring: api.consentMessagesQuerySchema,
      response: {
        200: api.consentMessageListSchema.describe('Messages that are not acknowledged'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => ({
      items: [...(await propagation.messages(request.query, callerOf(request).organizationId))],
    }),
  });

  app.post('/api/v1/consent/propagation::retry', {
    schema: {
      ...operation({
        id: 'retryConsentPropagation',
        tag: 'Consent',
        summary: 'Send what people agree to to a destination again',
        description:
          'Under the same ids. A person whose state changed meanwhile is told of by the latest one.',
      }),
      body: api.retryPropagationSchema,
      response: {
        200: api.propagatedSchema.describe('How many are sent again'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => ({ messages: await propagation.retry(callerOf(request), request.body) }),
  });

  app.post('/api/v1/consent/propagation::acknowledge', {
    schema: {
      ...operation({
        id: 'acknowledgeConsentPropagation',
        tag: 'Consent',
        summary: 'Say that a destination has what it was told',
        description:
          'For destinations with `acknowledge: call`. Ids that are not known, or of which a later state took the place, change nothing.',
      }),
      body: api.acknowledgePropagationSchema,
      response: {
        200: api.propagatedSchema.describe('How many are acknowledged now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => ({
      messages: await propagation.acknowledge(callerOf(request), request.body),
    }),
  });
}
