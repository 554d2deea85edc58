import * as z from 'zod';
import { timeSchema } from './common.ts';

const destinationKey = z.string().min(1).max(63).describe('Key of a destination of the configuration');

/** How a destination is doing that is told what people agree to. */
export const consentDestinationSchema = z
  .object({
    key: z.string(),
    by: z.enum(['webhook', 'system', 'stream']),
    acknowledge: z.enum(['answer', 'call']),
    purposes: z.record(z.string(), z.string()).describe('Code of a purpose → what the destination calls it'),
    waiting: z.int().describe('People whose state is still to be sent'),
    sent: z.int().describe('People whose state was taken, and not acknowledged yet'),
    given_up: z.int().describe('People whose state it did not take in any try'),
    lag_seconds: z
      .number()
      .nullable()
      .describe(
        'Since when it may not have all that people said; 0: it has all; null: it was never told anything',
      ),
    error: z.string().nullable().describe('Why it did not take what waits longest'),
  })
  .meta({ id: 'ConsentDestination' });
export type ConsentDestination = z.output<typeof consentDestinationSchema>;

export const consentDestinationListSchema = z
  .object({ items: z.array(consentDestinationSchema) })
  .meta({ id: 'ConsentDestinationList' });

const messageState = z.enum(['waiting', 'sent', 'given_up']);

/** What one destination was to be told about one person, who is not named. */
export const consentMessageSchema = z
  .object({
    id: z.string().describe('Id of the message, the same for all tries'),
    state: messageState,
    changed_at: timeSchema.describe('Since when the destination has not the latest state'),
    failed_tries: z.int(),
    next_at: timeSchema.nullable().describe('When it is sent again, at the earliest'),
    error: z.string().nullable(),
  })
  .meta({ id: 'ConsentMessage' });
export type ConsentMessage = z.output<typeof consentMessageSchema>;

export const consentMessageListSchema = z
  .object({ items: z.array(consentMessageSchema) })
  .meta({ id: 'ConsentMessageList' });

export const consentMessagesQuerySchema = z.object({
  destination: destinationKey,
  state: messageState.optional().describe('(Default: all that are not acknowledged)'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type ConsentMessagesQuery = z.output<typeof consentMessagesQuerySchema>;

const messageIds = z.array(z.uuid()).min(1).max(1_000);

export const retryPropagationSchema = z
  .strictObject({
    destination: destinationKey,
    messages: messageIds.optional().describe('Only these (default: all that are not acknowledged)'),
    everybody: z
      .boolean()
      .default(false)
      .describe('Also those that are acknowledged, such as after the destination lost what it had'),
  })
  .meta({ id: 'RetryPropagation' });
export type RetryPropagation = z.output<typeof retryPropagationSchema>;

export const acknowledgePropagationSchema = z
  .strictObject({ destination: destinationKey, messages: messageIds.describe('Ids of messages') })
  .meta({ id: 'AcknowledgePropagation' });
export type AcknowledgePropagation = z.output<typeof acknowledgePropagationSchema>;

export const propagatedSchema = z
  .object({ messages: z.int().describe('How many it concerned') })
  .meta({ id: 'Propagated' });
