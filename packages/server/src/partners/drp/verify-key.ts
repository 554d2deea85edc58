import { createPublicKey, type KeyObject } from 'node:crypto';
import { HabeasError } from '../../foundation/index.ts';

/**
 * Points of small order on edwards25519 (the y coordinates in hexadecimal, without the sign bit), also in spellings that are
 * not canonical. Whoever has such a key has signed everything; libsodium refuses them, OpenSSL does not.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** The key in canonical base64. Throws BAD_INPUT unless it is 32 bytes that one owner alone can sign with. */
export function checkVerifyKey(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 32) {
    throw new HabeasError(
      'BAD_INPUT',
      `A verify_key holds ${bytes.length} bytes; an Ed25519 key is 32 bytes in base64.`,
    );
  }
  const unsigned = Buffer.from(bytes);
  unsigned[31] = (unsigned[31] ?? 0) & 0x7f;
  if (SMALL_ORDER.has(unsigned.toString('hex'))) {
    throw new HabeasError(
      'BAD_INPUT',
      'A verify_key is a point of small order, with which any signature is right. Ask the agent for its key.',
    );
  }
  return bytes.toString('base64');
}

/** The key as `node:crypto` takes it; it must have passed {@link checkVerifyKey}. */
export function importVerifyKey(base64: string): KeyObject {
  const x = Buffer.from(base64, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
