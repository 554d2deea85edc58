import * as client from 'openid-client';
import { HabeasError } from './errors.ts';
import type { Outbound } from './outbound.ts';
import { parseOutboundAddress } from './outbound-address.ts';
import { createHttpClient, type HttpClient } from './outbound-request.ts';

export interface OidcOptions {
  /** Its issuer (OpenID Connect Discovery 1.0). */
  readonly issuer: string;
  readonly clientId: string;
  /** (Default: none, a public client) */
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** Where the browser comes back to, as it is registered there. */
  readonly redirectUrl: string;
  readonly outbound: Outbound;
}

/** What has to be the same when the browser comes back; secret until then. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** What the provider says of somebody; `sub` names them within the issuer. */
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

export interface SignInDemand {
  /** Somebody who is signed in there already has to sign in again all the same. (Default: false) */
  readonly again?: boolean;
}

/** Where people sign in, by OpenID Connect. */
export interface OidcProvider {
  /** Throws SYSTEM_UNREACHABLE and its like. */
  begin(demand?: SignInDemand): Promise<{ readonly url: string; readonly secrets: SignInSecrets }>;
  /** The demand has to be that of the beginning. Throws PROOF_REFUSED if anything does not fit. */
  finish(back: URL, secrets: SignInSecrets, demand?: SignInDemand): Promise<Claims>;
}

const TIMEOUT_MILLISECONDS = 10_000;
const MAX_BYTES = 1024 * 1024;
/** Seconds that a sign-in which has to be new may be old: from the last key pressed there to the answer here. */
const AGAIN_SECONDS = 120;

/** Code flow with PKCE (RFC 7636), state and nonce; the ID token is checked by `openid-client`. */
export function createOidcProvider(options: OidcOptions): OidcProvider {
  const issuer = new URL(options.issuer);
  const fetch = fetchOutbound(options.outbound);
  let found: Promise<client.Configuration> | undefined;

  const configuration = (): Promise<client.Configuration> => {
    found ??= client
      .discovery(
        issuer,
        options.clientId,
        options.clientSecret,
        options.clientSecret === undefined ? client.None() : client.ClientSecretBasic(options.clientSecret),
        {
          [client.customFetch]: fetch,
          // Only where the configuration itself names an issuer without TLS, such as one on this machine.
          execute: issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [],
        },
      )
      .catch((error: unknown) => {
        // It may be there next time.
        found = undefined;
        throw unreachable(error);
      });
    return found;
  };

  return {
    async begin({ again = false } = {}) {
      const config = await configuration();
      const secrets = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: options.redirectUrl,
        scope: options.scopes.join(' '),
        state: secrets.state,
        nonce: secrets.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(secrets.verifier),
        code_challenge_method: 'S256',
        // `max_age` makes the answer say when they signed in (OpenID Connect Core §3.1.2.1).
        ...(again && { prompt: 'login', max_age: String(AGAIN_SECONDS) }),
      });
      return { url: url.href, secrets };
    },
    async finish(back, secrets, { again = false } = {}) {
      const config = await configuration();
      const url = new URL(options.redirectUrl);
      url.search = back.search;
      try {
        const tokens = await client.authorizationCodeGrant(config, url, {
          expectedState: secrets.state,
          expectedNonce: secrets.nonce,
          pkceCodeVerifier: secrets.verifier,
          idTokenExpected: true,
          ...(again && { maxAge: AGAIN_SECONDS }),
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new HabeasError('PROOF_REFUSED', 'The sign-in gave no ID token.');
        const more =
          config.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : await client.fetchUserInfo(config, tokens.access_token, claims.sub);
        return { ...more, ...claims };
      } catch (error) {
        if (error instanceof HabeasError) throw error;
        throw new HabeasError('PROOF_REFUSED', 'The sign-in could not be confirmed. Begin it again.', {
          cause: error,
        });
      }
    },
  };
}

/** The e-mail address that the provider says it verified (OpenID Connect Core §5.1). */
export function verifiedEmail({ email, email_verified }: Claims): string | undefined {
  return typeof email === 'string' && email_verified === true ? email : undefined;
}

/** `fetch` over the one way in which Habeas reaches addresses: checked, bounded, without redirects. */
function fetchOutbound(outbound: Outbound): client.CustomFetch {
  const clients = new Map<string, HttpClient>();
  return async (target, { method, headers, body, signal }) => {
    const url = new URL(target);
    const known = clients.get(url.origin);
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    const http =
      known ??
      createHttpClient({
        outbound,
        address: parseOutboundAddress(`${url.hostname}:${port}`),
        tls: url.protocol === 'https:' ? {} : undefined,
        connections: 4,
      });
    if (known === undefined) clients.set(url.origin, http);
    const {
      status,
      contentType,
      body: bytes,
    } = await http.call({
      method: method === 'POST' ? 'POST' : 'GET',
      path: `${url.pathname}${url.search}`,
      headers,
      body: body === undefined || body === null ? undefined : String(body),
      timeout: TIMEOUT_MILLISECONDS,
      maxBytes: MAX_BYTES,
      signal: signal ?? new AbortController().signal,
    });
    return new Response(status === 204 || status === 304 ? null : new Uint8Array(bytes), {
      status,
      headers: { 'content-type': contentType },
    });
  };
}

function unreachable(error: unknown): HabeasError {
  if (error instanceof HabeasError) return error;
  if (error instanceof Error && error.cause instanceof HabeasError) return error.cause;
  return new HabeasError('SYSTEM_UNREACHABLE', 'The sign-in of the organization cannot be reached now.', {
    cause: error,
    retryable: true,
  });
}
