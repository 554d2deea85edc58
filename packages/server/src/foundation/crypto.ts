import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { HabeasError } from './errors.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;

/** 32 random bytes that encrypt other keys or data with AES-256-GCM. */
export type SecretKey = Uint8Array & { readonly __secret?: never };

export function newSecretKey(): SecretKey {
  return randomBytes(32);
}

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) under a fresh 96-bit nonce.
 * `context` is bound to the result: the same bytes cannot be opened under another row or purpose.
 * Layout: version (1 byte) ‖ nonce (12) ‖ ciphertext ‖ tag (16).
 */
export function seal(key: SecretKey, plain: Uint8Array, context: string): Buffer {
  return sealUnder(key, randomBytes(NONCE_BYTES), plain, context);
}

/** Bytes of a block of SHA-256. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Texts up to so many characters take the short way. */
const SHORT = 1_024;

/**
 * HMAC-SHA-256 (RFC 2104) of many texts under one key of 32 bytes: H(key ⊕ opad, H(key ⊕ ipad, text)), each H by one call. An object of Node for each
 * digest takes three times as long.
 */
export function createDigester(key: SecretKey): (text: string) => Buffer {
  const prepared = createSecretKey(key);
  const inner = Buffer.alloc(BLOCK_BYTES + SHORT * 3, 0x36);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);
  for (const [place, byte] of key.entries()) {
    inner[place] = byte ^ 0x36;
    outer[place] = byte ^ 0x5c;
  }
  return (text) => {
    if (text.length > SHORT) return createHmac('sha256', prepared).update(text).digest();
    const end = BLOCK_BYTES + inner.write(text, BLOCK_BYTES);
    // As texts of one byte a character: a buffer for each would cost as much as hashing.
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1');
    return Buffer.from(hash('sha256', outer, 'binary'), 'latin1');
  };
}

/** The same for many at once, which is faster: the key is prepared once, and the random bytes are drawn together. */
export function sealAll(
  key: SecretKey,
  all: readonly { readonly plain: Uint8Array; readonly context: string }[],
): readonly Buffer[] {
  if (all.length === 0) return [];
  const prepared = createSecretKey(key);
  const nonces = randomBytes(NONCE_BYTES * all.length);
  return all.map(({ plain, context }, index) =>
    sealUnder(prepared, nonces.subarray(index * NONCE_BYTES, (index + 1) * NONCE_BYTES), plain, context),
  );
}

function sealUnder(
  key: SecretKey | KeyObject,
  nonce: Uint8Array,
  plain: Uint8Array,
  context: string,
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([
    Buffer.of(VERSION),
    nonce,
    cipher.update(plain),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** Opens what {@link seal} closed. Throws MASTER_KEY_INVALID if the key or the context is another one, or a bit was changed. */
export function open(key: SecretKey, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES || bytes[0] !== VERSION) {
    throw new HabeasError('MASTER_KEY_INVALID', 'Stored encrypted bytes have an unknown format.');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + NONCE_BYTES));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(1 + NONCE_BYTES, bytes.length - TAG_BYTES)),
      decipher.final(),
    ]);
  } catch (cause) {
    throw new HabeasError(
      'MASTER_KEY_INVALID',
      'Stored encrypted data cannot be opened with this master key. Start Habeas with the key that it was first started with.',
      { cause },
    );
  }
}

/** A key for one purpose, derived from another by HKDF-SHA-256 (RFC 5869). The same purpose gives the same key. */
export function deriveKey(key: SecretKey, purpose: string): SecretKey {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), purpose, 32));
}

export function sha256(data: string | Uint8Array): Buffer {
  return hash('sha256', data, 'buffer');
}

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}
