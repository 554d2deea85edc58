import type { api } from '@habeas/contract';
import * as client from 'openid-client';
import {
  createHttpClient,
  HabeasError,
  type HttpClient,
  type Outbound,
  parseOutboundAddress,
} from '../../foundation/index.ts';

export interface IdentityProviderOptions {
  /** Its issuer (OpenID Connect Discovery 1.0). */
  readonly issuer: string;
  readonly clientId: string;
  /** (Default: none, a public client) */
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** The type of identity that `sub` is. */
  readonly subjectType: string;
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

/** Where the organization's own users sign in. */
export interface IdentityProvider {
  /** Throws SYSTEM_UNREACHABLE and its like. */
  begin(): Promise<{ readonly url: string; readonly secrets: SignInSecrets }>;
  /** The identities that the provider says are verified. Throws PROOF_REFUSED if anything does not fit. */
  finish(back: URL, secrets: SignInSecrets): Promise<readonly api.Identity[]>;
}

const TIMEOUT_MILLISECONDS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** OpenID Connect, code flow with PKCE (RFC 7636), state and nonce; the ID token is checked by `openid-client`. */
export function createIdentityProvider(options: IdentityProviderOptions): IdentityProvider {
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
    async begin() {
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
      });
      return { url: url.href, secrets };
    },
    async finish(back, secrets) {
      const config = await configuration();
      const url = new URL(options.redirectUrl);
      url.search = back.search;
      try {
        const tokens = await client.authorizationCodeGrant(config, url, {
          expectedState: secrets.state,
          expectedNonce: secrets.nonce,
          pkceCodeVerifier: secrets.verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new HabeasError('PROOF_REFUSED', 'The sign-in gave no ID token.');
        const more =
          config.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : await client.fetchUserInfo(config, tokens.access_token, claims.sub);
        return identitiesOf({ ...more, ...claims }, options.subjectType);
      } catch (error) {
        if (error instanceof HabeasError) throw error;
        throw new HabeasError('PROOF_REFUSED', 'The sign-in could not be confirmed. Begin it again.', {
          cause: error,
        });
      }
    },
  };
}

/** Only what the provider says that it verified (OpenID Connect Core §5.1). */
function identitiesOf(
  claims: Readonly<Record<string, unknown>> & { readonly sub: string },
  subjectType: string,
): readonly api.Identity[] {
  const { sub, email, email_verified, phone_number, phone_number_verified } = claims;
  return [
    { type: subjectType, value: sub },
    ...(typeof email === 'string' && email_verified === true ? [{ type: 'email', value: email }] : []),
    ...(typeof phone_number === 'string' && phone_number_verified === true
      ? [{ type: 'phone_number', value: phone_number }]
      : []),
  ];
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
