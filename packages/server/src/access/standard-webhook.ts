import { createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual } from 'node:crypto';

/** How far a message's time may lie from ours, in seconds, either way. */
export const WEBHOOK_TOLERANCE_SECONDS = 300;

const SECRET_PREFIX = 'whsec_';
const ED25519_PREFIX = 'whsk_';
const ED25519_BYTES = 32;
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

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

/**
 * One signature of `webhook-signature` for a message: `v1,<base64>`, HMAC-SHA-256, or with a secret `whsk_…` `v1a,<base64>`, Ed25519
 * (RFC 8032).
 */
export function signStandardWebhook(message: {
  readonly secret: string;
  readonly id: string;
  /** Unix time in seconds. */
  readonly timestamp: string;
  readonly body: string | Uint8Array;
}): string {
  const signed = Buffer.concat([
    Buffer.from(`${message.id}.${message.timestamp}.`),
    Buffer.from(message.body),
  ]);
  if (message.secret.startsWith(ED25519_PREFIX))
    return `v1a,${sign(null, signed, privateKeyOf(message.secret)).toString('base64')}`;
  const secret = message.secret.startsWith(SECRET_PREFIX)
    ? message.secret.slice(SECRET_PREFIX.length)
    : message.secret;
  return `v1,${createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64')}`;
}

/** What a receiver checks signatures of a secret `whsk_…` with: `whpk_` and the public key in base64; undefined for other secrets. */
export function webhookPublicKey(secret: string): string | undefined {
  if (!secret.startsWith(ED25519_PREFIX)) return undefined;
  const spki = createPublicKey(privateKeyOf(secret)).export({ format: 'der', type: 'spki' });
  return `whpk_${spki.subarray(-ED25519_BYTES).toString('base64')}`;
}

/** Of the seed; a public key behind it is computed again. RFC 8410 §7 has the bytes before it in PKCS #8. */
function privateKeyOf(secret: string) {
  const seed = Buffer.from(secret.slice(ED25519_PREFIX.length), 'base64').subarray(0, ED25519_BYTES);
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined;
}

function equalText(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}
