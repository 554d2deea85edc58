import {
  type Clock,
  createHttpClient,
  formatOutboundAddress,
  HabeasError,
  type HttpClient,
  type Outbound,
  parseOutboundAddress,
} from '../foundation/index.ts';
import { CLOUD_EVENT_TYPE, cloudEventOf } from './cloud-event.ts';
import type { StoredEvent } from './outbox.ts';
import type { WebhookReceiver } from './receivers.ts';

export interface WebhookSenderOptions {
  /** Asks the policy about every address. */
  readonly outbound: Outbound;
  readonly clock: Clock;
  /** The value of `webhook-signature` (Standard Webhooks 1.0). */
  readonly sign: (message: {
    readonly secret: string;
    readonly id: string;
    readonly timestamp: string;
    readonly body: string;
  }) => string;
  /** For one call; the standard recommends 15 to 30 s. (Default: 15000) */
  readonly timeoutMilliseconds?: number | undefined;
}

export interface WebhookSender {
  /**
   * Posts one event. Gives `taken` when the receiver answered with 2xx, `gone` for 410. Throws SYSTEM_REFUSED for any other answer, a redirect
   * among them, and what the HTTP client throws. The id of the message is the event's, so that a receiver knows repetitions.
   */
  send(receiver: WebhookReceiver, event: StoredEvent, signal: AbortSignal): Promise<'taken' | 'gone'>;
  close(): void;
}

const TIMEOUT_MILLISECONDS = 15_000;
const MAX_BYTES = 64 * 1_024;

const GONE = 410;

export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { outbound, clock, sign, timeoutMilliseconds: timeout = TIMEOUT_MILLISECONDS } = options;
  const clients = new Map<string, HttpClient>();

  function clientFor(receiver: WebhookReceiver): HttpClient {
    const found = clients.get(receiver.name);
    if (found !== undefined) return found;
    const tls = receiver.url.protocol === 'https:' ? {} : undefined;
    const made = createHttpClient({ outbound, address: addressOf(receiver), tls, connections: 1 });
    clients.set(receiver.name, made);
    return made;
  }

  return {
    async send(receiver, event, signal) {
      const body = cloudEventOf(event);
      const timestamp = String(Math.floor(clock.now().getTime() / 1_000));
      const { status } = await clientFor(receiver).call({
        method: 'POST',
        path: `${receiver.url.pathname}${receiver.url.search}`,
        headers: {
          'content-type': CLOUD_EVENT_TYPE,
          'user-agent': 'habeas',
          'webhook-id': event.id,
          'webhook-timestamp': timestamp,
          // A receiver that changes its secret knows the old one or the new one; either fits.
          'webhook-signature': [receiver.secret, ...receiver.formerSecrets]
            .map((secret) => sign({ secret, id: event.id, timestamp, body }))
            .join(' '),
        },
        body,
        timeout,
        maxBytes: MAX_BYTES,
        signal,
      });
      if (status === GONE) return 'gone';
      if (status < 200 || status > 299) throw refused(receiver, status);
      return 'taken';
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

function addressOf({ url }: WebhookReceiver) {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return parseOutboundAddress(`${url.hostname}:${port}`);
}

/** Names the host and never the path, which may hold a secret. */
export function refused(receiver: WebhookReceiver, status: number): HabeasError {
  const isRedirect = status >= 300 && status < 400;
  return new HabeasError(
    'SYSTEM_REFUSED',
    `${formatOutboundAddress(addressOf(receiver))} answered with HTTP ${status}${isRedirect ? ', and redirects are not followed' : ''}. It has to answer with 2xx. Correct it, or ${receiver.name} in the configuration.`,
    // The receiver itself is in trouble, or has too much to do: it may take the same message later.
    { retryable: status >= 500 || status === 429 },
  );
}
