import { CompactSign, compactVerify, importJWK } from 'jose';
import type { SigningKey } from './signing-keys.ts';

/**
 * Signs bytes as a JWS in compact form whose payload is left out (RFC 7515 appendix F): `<header>..<signature>`.
 * Whoever checks it has the bytes already.
 */
export async function signDetached(key: SigningKey, bytes: Uint8Array): Promise<string> {
  const compact = await new CompactSign(bytes)
    .setProtectedHeader({ alg: 'EdDSA', kid: key.keyId })
    .sign(key.privateKey);
  const [header, , signature] = compact.split('.');
  return `${header}..${signature}`;
}

export interface VerifyDetachedOptions {
  /** What {@link signDetached} gave. */
  readonly signature: string;
  readonly bytes: Uint8Array;
  /** The Ed25519 public point in base64url: `x` of the JWK. */
  readonly publicKey: string;
}

/** Whether the signature is this key's over exactly these bytes. Needs no database and no network. */
export async function verifyDetached(options: VerifyDetachedOptions): Promise<boolean> {
  const parts = options.signature.split('.');
  if (parts.length !== 3 || parts[1] !== '') return false;
  const payload = Buffer.from(options.bytes).toString('base64url');
  try {
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: options.publicKey }, 'EdDSA');
    await compactVerify(`${parts[0]}.${payload}.${parts[2]}`, key, { algorithms: ['EdDSA'] });
    return true;
  } catch {
    // Whatever is wrong with a signature or a key that came from outside, the answer is the same: it proves nothing.
    return false;
  }
}
