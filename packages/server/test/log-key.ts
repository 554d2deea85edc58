import { generateKeyPairSync, sign } from 'node:crypto';
import type { SignLog } from '../src/audit/index.ts';

/** A new Ed25519 key that signs as a log, without a database. */
export function newLogKey(): { readonly sign: SignLog; readonly publicKey: Buffer } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  const bytes = Buffer.from(x ?? '', 'base64url');
  return {
    publicKey: bytes,
    sign: async (message) => ({ signature: sign(null, message, privateKey), publicKey: bytes }),
  };
}
