import { type KeyObject, verify } from 'node:crypto';
import { sha256 } from '../../foundation/index.ts';

/** Why a signed message is not taken: the step of §3.07 at which it failed. */
export type RefusedStep = 'encoding' | 'signature' | 'agent-id' | 'business-id' | 'issued-at' | 'expires-at';

export interface Refused {
  readonly refused: RefusedStep;
  /** In words, without anything of the message but the times. */
  readonly message: string;
}

export interface OpenedMessage {
  readonly content: Readonly<Record<string, unknown>>;
  /** SHA-256 of signature and content: the same for the same message and for no other. */
  readonly digest: Buffer;
}

const SIGNATURE_BYTES = 64;

/**
 * Opens libsodium's combined mode, base64 of the signature (64 bytes) followed by JSON (Data Rights Protocol 1.0 §3.07.1). The
 * signature is checked before anything of the content is read.
 */
export function openSignedMessage(text: string, key: KeyObject): OpenedMessage | Refused {
  const base64 = text.trim();
  const isBase64 = base64.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
  const bytes = isBase64 ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
  if (bytes.length <= SIGNATURE_BYTES) {
    return {
      refused: 'encoding',
      message: 'The body is not a signature of 64 bytes followed by JSON, all in base64.',
    };
  }
  const signed = bytes.subarray(SIGNATURE_BYTES);
  if (!verify(null, signed, key, bytes.subarray(0, SIGNATURE_BYTES))) {
    return {
      refused: 'signature',
      message: "The signature does not fit the agent's key in the service directory.",
    };
  }
  const content = parseObject(signed);
  if (content === undefined)
    return { refused: 'encoding', message: 'What is signed is not a JSON object in UTF-8.' };
  return { content, digest: sha256(bytes) };
}

export interface Expectation {
  readonly agentId: string;
  readonly businessId: string;
  readonly now: Date;
  /** Longest time between `issued-at` and `expires-at`. */
  readonly maxValidityMilliseconds: number;
}

/** The steps of §3.07 after the signature, in their order. Gives when the message expires. */
export function checkClaims(
  content: OpenedMessage['content'],
  expected: Expectation,
): { readonly expiresAt: Date } | Refused {
  if (content['agent-id'] !== expected.agentId) {
    return { refused: 'agent-id', message: 'agent-id is not the agent that signed in.' };
  }
  if (content['business-id'] !== expected.businessId) {
    return { refused: 'business-id', message: 'business-id is not this business.' };
  }
  const { now } = expected;
  const issuedAt = parseTime(content['issued-at']);
  if (issuedAt === undefined || issuedAt > now) {
    const seconds =
      issuedAt === undefined ? undefined : Math.ceil((issuedAt.getTime() - now.getTime()) / 1_000);
    return {
      refused: 'issued-at',
      message:
        seconds === undefined
          ? 'issued-at is not an ISO 8601 time with its zone.'
          : `issued-at is ${seconds} s in the future; correct the clock of the agent.`,
    };
  }
  const expiresAt = parseTime(content['expires-at']);
  if (expiresAt === undefined)
    return { refused: 'expires-at', message: 'expires-at is not an ISO 8601 time with its zone.' };
  if (expiresAt <= now) return { refused: 'expires-at', message: 'The message has expired. Sign a new one.' };
  const { maxValidityMilliseconds: longest } = expected;
  if (expiresAt.getTime() - issuedAt.getTime() > longest) {
    return {
      refused: 'expires-at',
      message: `The message is valid for more than ${Math.round(longest / 60_000)} minutes. Sign one for a shorter time.`,
    };
  }
  return { expiresAt };
}

/** The same for a message that need not have these claims (§2.04): those that it has must be right. */
export function checkGivenClaims(
  content: OpenedMessage['content'],
  expected: Expectation,
): Refused | undefined {
  const { agentId, businessId, now } = expected;
  const times = {
    'issued-at': new Date(now.getTime()).toISOString(),
    'expires-at': new Date(now.getTime() + 1).toISOString(),
  };
  const checked = checkClaims(
    { 'agent-id': agentId, 'business-id': businessId, ...times, ...content },
    {
      ...expected,
      maxValidityMilliseconds: Number.POSITIVE_INFINITY,
    },
  );
  return 'refused' in checked ? checked : undefined;
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)$/;

function parseTime(value: unknown): Date | undefined {
  if (typeof value !== 'string' || !ISO_8601.test(value)) return undefined;
  const time = new Date(value.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(time.getTime()) ? undefined : time;
}
