import { createHmac, randomBytes, randomInt } from 'node:crypto';
import type { api } from '@habeas/contract';
import { canonicalJson } from '../../audit/index.ts';
import { deriveKey, type SecretKey } from '../../foundation/index.ts';

/** Digits of a code. With five tries a code is guessed once in twenty million times. */
const CODE_DIGITS = 8;

/** What resumes a request and proves nothing: 256 random bits, in characters that a fragment of an address can hold. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What proves that somebody reads an address. */
export function newCode(): string {
  return String(randomInt(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, '0');
}

/** What is stored of secrets and of people: keyed hashes, of no use to whoever reads the database without the master key. */
export interface Digests {
  token(token: string): Buffer;
  /** Bound to the contact: the same code of another one fits nothing. */
  code(contact: { readonly requestId: string; readonly position: number }, code: string): Buffer;
  /** Tells one person from another by what was proved of them; the same for the same set of identities. */
  subject(organizationId: string, identities: readonly api.Identity[]): Buffer;
  /** Whom a limit counts for. */
  limited(scope: string, whom: string): Buffer;
}

export function createDigests(masterKey: SecretKey): Digests {
  const keyed = (purpose: string) => {
    const key = deriveKey(masterKey, purpose);
    return (text: string) => createHmac('sha256', key).update(text).digest();
  };
  const token = keyed('verification token');
  const code = keyed('verification code');
  const subject = keyed('verified subject');
  const limited = keyed('rate limit');
  return {
    token,
    code: ({ requestId, position }, text) => code(`${requestId}/${position}/${text}`),
    subject(organizationId, identities) {
      const sorted = [...new Set(identities.map(({ type, value }) => canonicalJson([type, folded(value)])))];
      return subject(`${organizationId}\0${sorted.sort().join('\0')}`);
    },
    limited: (scope, whom) => limited(`${scope}\0${folded(whom)}`),
  };
}

/** Two spellings of an address that nearly all mail systems take for one. */
function folded(value: string): string {
  return value.trim().normalize('NFKC').toLowerCase();
}
