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
  /** To one receiver at once. (Default: 1) */
  readonly connections?: number;
}

/** Where signed messages are posted to. */
export type WebhookAddress = Pick<WebhookReceiver, 'name' | 'url' | 'secret' | 'formerSecrets'>;

/** A message after Standard Webhooks 1.0. */
export interface WebhookMessage {
  /** By which a receiver knows repetitions. */
  readonly id: string;
  readonly body: string;
  readonly contentType: string;
}

export interface WebhookPoster {
  /**
   * Posts one message, signed. Gives `taken` when the receiver answered with 2xx, `gone` for 410. Throws SYSTEM_REFUSED for any other
   * answer, a redirect among them, with a {@link RetryAfter} as its cause where the receiver says so, and what the HTTP client throws.
   */
  post(to: WebhookAddress, message: WebhookMessage, signal: AbortSignal): Promise<'taken' | 'gone'>;
  close(): void;
}

export interface WebhookSender {
  /** Posts one event as {@link WebhookPoster.post} does, under the event's id. */
  send(receiver: WebhookReceiver, event: StoredEvent, signal: AbortSignal): Promise<'taken' | 'gone'>;
  close(): void;
}

/** A receiver wants to be left alone for so long (RFC 9110 §10.2.3). */
export class RetryAfter extends Error {
  override readonly name = 'RetryAfter';
  readonly seconds: number;

  constructor(seconds: number) {
    super(`for ${seconds} s`);
    this.seconds = seconds;
  }
}

/** A receiver cannot be silenced for longer than that by a header. */
const LONGEST_RETRY_AFTER_SECONDS = 86_400;

/** undefined: it does not say, or nothing that can be understood. */
function retryAfterOf(header: string | undefined, now: Date): RetryAfter | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header)
    ? Number(header)
    : Math.ceil((Date.parse(header) - now.getTime()) / 1_000);
  return seconds > 0 ? new RetryAfter(Math.min(seconds, LONGEST_RETRY_AFTER_SECONDS)) : undefined;
}

const TIMEOUT_MILLISECONDS = 15_000;
const MAX_BYTES = 64 * 1_024;

const GONE = 410;

export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { post, close } = createWebhookPoster(options);
  return {
    send: (receiver, event, signal) =>
      post(receiver, { id: event.id, body: cloudEventOf(event), contentType: CLOUD_EVENT_TYPE }, signal),
    close,
  };
}

export function createWebhookPoster(options: WebhookSenderOptions): WebhookPoster {
  const {
    outbound,
    clock,
    sign,
    connections = 1,
    timeoutMilliseconds: timeout = TIMEOUT_MILLISECONDS,
  } = options;
  const clients = new Map<string, HttpClient>();

  function clientFor(to: WebhookAddress): HttpClient {
    const found = clients.get(to.name);
    if (found !== undefined) return found;
    const tls = to.url.protocol === 'https:' ? {} : undefined;
    const made = createHttpClient({ outbound, address: addressOf(to), tls, connections });
    clients.set(to.name, made);
    return made;
  }

  return {
    async post(to, { id, body, contentType }, signal) {
      const timestamp = String(Math.floor(clock.now().getTime() / 1_000));
      const { status, headers } = await clientFor(to).call({
        method: 'POST',
        path: `${to.url.pathname}${to.url.search}`,
        headers: {
          'content-type': contentType,
          'user-agent': 'habeas',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          // A receiver that changes its secret knows the old one or the new one; either fits.
          'webhook-signature': [to.secret, ...to.formerSecrets]
            .map((secret) => sign({ secret, id, timestamp, body }))
            .join(' '),
        },
        body,
        timeout,
        maxBytes: MAX_BYTES,
        signal,
      });
      if (status === GONE) return 'gone';
      if (status < 200 || status > 299)
        throw refused(to, status, retryAfterOf(headers['retry-after'], clock.now()));
      return 'taken';
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

function addressOf({ url }: Pick<WebhookAddress, 'url'>) {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return parseOutboundAddress(`${url.hostname}:${port}`);
}

/** Names the host and never the path, which may hold a secret. */
export function refused(receiver: WebhookAddress, status: number, retryAfter?: RetryAfter): HabeasError {
  const isRedirect = status >= 300 && status < 400;
  return new HabeasError(
    'SYSTEM_REFUSED',
    `${formatOutboundAddress(addressOf(receiver))} answered with HTTP ${status}${isRedirect ? ', and redirects are not followed' : ''}. It has to answer with 2xx. Correct it, or ${receiver.name} in the configuration.`,
    // The receiver itself is in trouble, or has too much to do: it may take the same message later.
    { retryable: status >= 500 || status === 429, cause: retryAfter },
  );
}
