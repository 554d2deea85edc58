import { Code, ConnectError } from '@connectrpc/connect';
import { type CryptoKey, decodeProtectedHeader, importJWK, importSPKI, type JWK, jwtVerify } from 'jose';

/** An Ed25519 public key: `x` of its JWK (base64url, as `habeas` prints it), the JWK, or PEM (SPKI). */
export type PublicKey = string | JWK;

export interface TokenVerifierOptions {
  /** The audience that tokens must have. */
  readonly service: string;
  readonly publicKeys: readonly PublicKey[];
  readonly now: () => Date;
}

export interface TokenUse {
  /** The value of `authorization`. */
  readonly authorization: string | null;
  /** The rpc that is called. A token that names another one is refused. */
  readonly rpc: string;
  /** The request that the call is about. A token that names another one is refused. */
  readonly requestId: string | undefined;
}

const ISSUER = 'habeas';
const MAX_AGE_SECONDS = 300;
/** How far the clocks of Habeas and of the service may differ. */
const TOLERANCE_SECONDS = 10;

/**
 * Checks who calls. Throws a TypeError for keys that cannot be used. The check throws a ConnectError: `unauthenticated` without a
 * valid token, `permission_denied` for a token of another call.
 */
export async function createTokenVerifier(
  options: TokenVerifierOptions,
): Promise<(use: TokenUse) => Promise<void>> {
  if (options.publicKeys.length === 0) {
    throw new TypeError('servePersonalData(): habeas.publicKeys is empty, so nobody could call.');
  }
  const keys = await Promise.all(options.publicKeys.map(importPublicKey));
  return async ({ authorization, rpc, requestId }) => {
    const token = /^Bearer ([\w.-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw refusal('a call needs a token of Habeas (authorization: Bearer …)');
    const claims = await verified(token, keys, options);
    if (claims === undefined) throw refusal('the token is not valid for this service now');
    const wrongRpc = claims.method !== undefined && claims.method !== rpc;
    const wrongRequest =
      claims.request_id !== undefined && requestId !== undefined && claims.request_id !== requestId;
    if (wrongRpc || wrongRequest)
      throw new ConnectError('the token is for another call', Code.PermissionDenied);
  };
}

function refusal(text: string): ConnectError {
  return new ConnectError(text, Code.Unauthenticated);
}

interface Key {
  readonly id: string | undefined;
  readonly key: CryptoKey | Uint8Array;
}

async function verified(
  token: string,
  keys: readonly Key[],
  options: TokenVerifierOptions,
): Promise<Record<string, unknown> | undefined> {
  for (const { id, key } of keys) {
    try {
      const { kid } = decodeProtectedHeader(token);
      if (id !== undefined && kid !== undefined && id !== kid) continue;
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA', 'Ed25519'],
        issuer: ISSUER,
        audience: options.service,
        requiredClaims: ['exp', 'iat'],
        maxTokenAge: MAX_AGE_SECONDS,
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: options.now(),
      });
      const lifetime = (payload.exp ?? Number.POSITIVE_INFINITY) - (payload.iat ?? 0);
      if (lifetime <= MAX_AGE_SECONDS) return payload;
    } catch {
      // Not this key's token, or not a valid one: what is wrong with it is nothing that the caller needs to learn.
    }
  }
  return undefined;
}

const WHERE_KEYS_COME_FROM =
  '`habeas clients keys` prints the keys of your server, `habeas serve` at its start, `habeas clients check` the one for checks.';

async function importPublicKey(given: PublicKey): Promise<Key> {
  if (typeof given === 'string' && given.trim() === '') {
    throw new TypeError(
      `servePersonalData(): a key in habeas.publicKeys is empty; is HABEAS_PUBLIC_KEY set? ${WHERE_KEYS_COME_FROM}`,
    );
  }
  if (typeof given === 'string' && given.includes('-----BEGIN')) {
    return { id: undefined, key: await importSPKI(given, 'EdDSA').catch(notPublic) };
  }
  const jwk: JWK = typeof given === 'string' ? { kty: 'OKP', crv: 'Ed25519', x: given.trim() } : given;
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || jwk.d !== undefined) notPublic();
  return { id: jwk.kid, key: await importJWK(jwk, 'EdDSA').catch(notPublic) };
}

/** The library's own errors name neither the option nor what to write there. */
function notPublic(cause?: unknown): never {
  throw new TypeError(
    `servePersonalData(): habeas.publicKeys takes Ed25519 public keys only: one key a text, in base64url, PEM or as JWK. ${WHERE_KEYS_COME_FROM}`,
    { cause },
  );
}
