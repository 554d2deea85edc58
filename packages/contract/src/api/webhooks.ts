import * as z from 'zod';
import { timeSchema } from './common.ts';

/** A webhook of the configuration, without its address and secrets. */
export const webhookSchema = z
  .object({
    name: z.string().describe('Where the configuration has it, such as `notify.webhooks.siem`'),
    host: z.string(),
    failing_since: timeSchema.nullable(),
    disabled_at: timeSchema
      .nullable()
      .describe('It answered 410; nothing is sent before somebody enables it'),
    error: z.string().nullable().describe('The last failure'),
    waiting: z.int().describe('Messages that it did not take and that are tried again'),
    dead_letters: z.int().describe('Messages that were given up'),
  })
  .meta({ id: 'Webhook' });

export const webhookListSchema = z.object({ items: z.array(webhookSchema) }).meta({ id: 'WebhookList' });

export const deadLetterSchema = z
  .object({
    receiver: z.string(),
    event: z.string().describe('Id of the event, which is the id of the message'),
    type: z.string(),
    at: timeSchema.describe('When it happened'),
    given_up_at: timeSchema,
    error: z.string().describe('Why the last try failed'),
  })
  .meta({ id: 'DeadLetter' });

export const deadLetterListSchema = z
  .object({ items: z.array(deadLetterSchema) })
  .meta({ id: 'DeadLetterList' });

export const deadLettersQuerySchema = z.object({
  receiver: z.string().max(200).optional().describe('Only those of this webhook'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export const replaySchema = z
  .strictObject({
    receiver: z.string().min(1).max(200),
    events: z
      .array(z.string().max(100))
      .max(1_000)
      .optional()
      .describe('Only these (default: all of the webhook)'),
  })
  .meta({ id: 'Replay' });

export const replayedSchema = z
  .object({ replayed: z.int().describe('How many are sent again') })
  .meta({ id: 'Replayed' });

export const enableWebhookSchema = z
  .strictObject({ receiver: z.string().min(1).max(200) })
  .meta({ id: 'EnableWebhook' });

export type WebhookView = z.output<typeof webhookSchema>;
export type DeadLetterView = z.output<typeof deadLetterSchema>;
