import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far a message's time may lie from ours, in seconds, either way. */
export const WEBHOOK_TOLERANCE_SECONDS = 300;

const SECRET_PREFIX = 'whsec_';

export interface StandardWebhook {
  /** `whsec_` and the key in base64. */
  readonly secret: string;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The bytes as they came, before any parsing. */
  readonly body: string | Uint8Array;
  readonly now: Date;
}

export type WebhookVerdict =
  | { readonly valid: true; readonly id: string; readonly timestamp: Date }
  | { readonly valid: false; readonly reason: 'header-missing' | 'timestamp-off' | 'signature-wrong' };

/**
 * Checks a message signed after Standard Webhooks 1.0: HMAC-SHA-256 over `<id>.<timestamp>.<body>`, compared in constant
 * time, sent at most five minutes ago. A sender that changes its key signs with both; one fitting signature is enough.
 */
export function verifyStandardWebhook(message: StandardWebhook): WebhookVerdict {
  const id = single(message.headers['webhook-id']);
  const timestamp = single(message.headers['webhook-timestamp']);
  const signatures = single(message.headers['webhook-signature']);
  if (id === undefined || timestamp === undefined || signatures === undefined) {
    return { valid: false, reason: 'header-missing' };
  }
  const seconds = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  const distance = Math.abs(message.now.getTime() / 1_000 - seconds);
  if (!(distance <= WEBHOOK_TOLERANCE_SECONDS)) return { valid: false, reason: 'timestamp-off' };
  const expected = signStandardWebhook({ secret: message.secret, id, timestamp, body: message.body });
  const fits = signatures.split(' ').map((signature) => equalText(signature, expected));
  if (!fits.includes(true)) return { valid: false, reason: 'signature-wrong' };
  return { valid: true, id, timestamp: new Date(seconds * 1_000) };
}

/** The value of `webhook-signature` for one message: `v1,<base64>`. */
export function signStandardWebhook(message: {
  readonly secret: string;
  readonly id: string;
  /** Unix time in seconds. */
  readonly timestamp: string;
  readonly body: string | Uint8Array;
}): string {
  const secret = message.secret.startsWith(SECRET_PREFIX)
    ? message.secret.slice(SECRET_PREFIX.length)
    : message.secret;
  const hmac = createHmac('sha256', Buffer.from(secret, 'base64'));
  hmac.update(`${message.id}.${message.timestamp}.`).update(message.body);
  return `v1,${hmac.digest('base64')}`;
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined;
}

function equalText(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}
