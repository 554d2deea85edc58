import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `/api/v1/webhooks`: how the webhooks of the configuration are doing, and what they did not take. */
export function webhookRoutes(app: HttpServer, { webhooks }: Pick<Application, 'webhooks'>): void {
  const all = async () => ({ items: [...(await webhooks.list())] });

  app.get('/api/v1/webhooks', {
    schema: {
      ...operation({
        id: 'listWebhooks',
        tag: 'Webhooks',
        summary: 'List the webhooks of the configuration and how they are doing',
      }),
      response: { 200: api.webhookListSchema.describe('All webhooks'), ...problems() },
    },
    handler: all,
  });

  app.post('/api/v1/webhooks::enable', {
    schema: {
      ...operation({
        id: 'enableWebhook',
        tag: 'Webhooks',
        summary: 'Send to a webhook again that answered 410',
        description: 'It goes on where it stopped. Enabling what is not disabled changes nothing.',
      }),
      body: api.enableWebhookSchema,
      response: {
        200: api.webhookListSchema.describe('The webhooks as they are now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => {
      await webhooks.enable({ receiver: request.body.receiver, actor: callerOf(request).actor });
      return all();
    },
  });

  app.get('/api/v1/dead-letters', {
    schema: {
      ...operation({
        id: 'listDeadLetters',
        tag: 'Webhooks',
        summary: 'List messages that a webhook did not take in any of their tries, newest first',
      }),
      querystring: api.deadLettersQuerySchema,
      response: {
        200: api.deadLetterListSchema.describe('Messages that were given up'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => ({ items: [...(await webhooks.deadLetters(request.query))] }),
  });

  app.post('/api/v1/dead-letters::replay', {
    schema: {
      ...operation({
        id: 'replayDeadLetters',
        tag: 'Webhooks',
        summary: 'Send dead letters again, from their first try on',
        description: 'Their ids stay the same. Events that are older than 90 days are not there any more.',
      }),
      body: api.replaySchema,
      response: {
        200: api.replayedSchema.describe('How many are sent again'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: async (request) => ({
      replayed: await webhooks.replay({ ...request.body, actor: callerOf(request).actor }),
    }),
  });
}
