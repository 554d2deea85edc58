import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { signDetached } from './detached-signature.ts';
import {
  listPublicKeys,
  loadSigningKey,
  type PublicJwk,
  publicJwk,
  type SigningKey,
  type SigningKeyContext,
} from './signing-keys.ts';

/** Issuer of the tokens that Habeas shows to services. */
export const TOKEN_ISSUER = 'habeas';

/** How long a token is good for; the contract allows five minutes at most. */
export const TOKEN_SECONDS = 300;

export interface ServiceTokenClaims {
  /** The service that the token is for; no other accepts it. */
  readonly audience: string;
  readonly requestId?: string | undefined;
  /** The method that it may call. */
  readonly method?: string | undefined;
}

/** Signs as one organization. */
export interface Signer {
  /** An EdDSA JWT for one call. Sign a new one for each call: services may refuse a `jti` that they have seen. */
  signServiceToken(claims: ServiceTokenClaims): Promise<string>;
  /** See {@link signDetached}. */
  signDetached(bytes: Uint8Array): Promise<string>;
  /** An Ed25519 signature (RFC 8032) over the bytes as they are, and the public point that it is checked with. */
  signBytes(bytes: Uint8Array): Promise<{ readonly signature: Uint8Array; readonly publicKey: Uint8Array }>;
  /** Public points in base64url, newest first: what a service puts into `habeas.publicKeys`. */
  publicKeys(): Promise<readonly string[]>;
  /** The newest public key as JWK, as receipts carry it. */
  publicJwk(): Promise<PublicJwk>;
}

/** The key is made at its first use and then held in memory; the database has it sealed only. */
export function createSigner(context: SigningKeyContext): Signer {
  let loaded: Promise<SigningKey> | undefined;
  const signingKey = async (): Promise<SigningKey> => {
    loaded ??= loadSigningKey(context);
    try {
      return await loaded;
    } catch (error) {
      // A database that did not answer once must not be remembered as the answer.
      loaded = undefined;
      throw error;
    }
  };
  return {
    async signServiceToken(claims) {
      const key = await signingKey();
      const issuedAt = Math.floor(context.clock.now().getTime() / 1_000);
      return new SignJWT({
        organization: context.organizationId,
        ...(claims.requestId === undefined ? {} : { request_id: claims.requestId }),
        ...(claims.method === undefined ? {} : { method: claims.method }),
      })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: key.keyId })
        .setIssuer(TOKEN_ISSUER)
        .setAudience(claims.audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + TOKEN_SECONDS)
        .setJti(randomUUID())
        .sign(key.privateKey);
    },
    async signDetached(bytes) {
      return signDetached(await signingKey(), bytes);
    },
    async signBytes(bytes) {
      const key = await signingKey();
      const signature = await crypto.subtle.sign('Ed25519', key.privateKey, new Uint8Array(bytes));
      return { signature: new Uint8Array(signature), publicKey: Buffer.from(key.publicKey, 'base64url') };
    },
    async publicKeys() {
      await signingKey();
      return (await listPublicKeys(context.db, context.organizationId)).map((key) => key.x);
    },
    async publicJwk() {
      return publicJwk(await signingKey());
    },
  };
}
