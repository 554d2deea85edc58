import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { signStandardWebhook } from '../../access/index.ts';
import type { Tracker } from './tracker.ts';
import { createTrackerHttp, type TrackerHttpOptions } from './tracker-http.ts';

/** What a receiver may answer to `ticket.opened`; an empty answer will do. */
const openedSchema = z.object({ label: z.string().max(100).optional() }).optional();

export interface WebhookTrackerOptions extends Pick<TrackerHttpOptions, 'outbound' | 'timeoutMilliseconds'> {
  readonly name: string;
  /** Where tickets are sent. */
  readonly url: URL;
  /** `whsec_…`: both sides sign with it. */
  readonly secret: string;
  readonly now: () => Date;
}

/**
 * Any program that takes messages after Standard Webhooks 1.0: `ticket.opened`, `ticket.ended` and `ticket.reopened`. What happens to
 * the ticket there it reports by itself, signed in the same way; it is never asked.
 */
export function createWebhookTracker(options: WebhookTrackerOptions): Tracker {
  const { url, secret, now } = options;
  const http = createTrackerHttp({ ...options, url: new URL(url.origin), headers: {} });
  const send = <Answer>(
    message: { readonly id: string; readonly type: string; readonly data: object },
    answer: z.ZodType<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const at = now();
    const body = { type: message.type, timestamp: at.toISOString(), data: message.data };
    const timestamp = String(Math.floor(at.getTime() / 1_000));
    const signature = signStandardWebhook({ secret, id: message.id, timestamp, body: JSON.stringify(body) });
    const headers = {
      'webhook-id': message.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    };
    return http.call({ method: 'POST', path: `${url.pathname}${url.search}`, headers, body, signal }, answer);
  };
  const tell = async (
    type: string,
    ticketId: string,
    comment: string,
    signal: AbortSignal,
  ): Promise<void> => {
    const id = `${ticketId}.${randomUUID()}`;
    await send({ id, type, data: { ticket_id: ticketId, comment } }, z.unknown(), signal);
  };
  return {
    name: options.name,
    settlesWithin: 0,
    // Nobody can be asked. A ticket that is sent again has the same webhook-id, by which the receiver drops it.
    find: async () => undefined,
    async create({ ticketId, title, body }, signal) {
      const data = { ticket_id: ticketId, title, body };
      const made = await send(
        { id: `${ticketId}.opened`, type: 'ticket.opened', data },
        openedSchema,
        signal,
      );
      return { id: ticketId, label: made?.label ?? ticketId, state: 'open' };
    },
    close: (id, comment, signal) => tell('ticket.ended', id, comment, signal),
    reopen: (id, comment, signal) => tell('ticket.reopened', id, comment, signal),
    changedSince: async () => [],
    disconnect: () => http.close(),
  };
}
