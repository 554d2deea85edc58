import { type Config, createOutbound, createOutboundPolicy, type Outbound } from '../../foundation/index.ts';
import type { CreateVerificationOptions } from './create-verification.ts';
import { createIdentityProvider } from './identity-provider.ts';
import type { Limit } from './rate-limits.ts';

/** Where the sign-in sends browsers back to, below the server's public address. */
const SIGN_IN_PATH = '/api/v1/public/sign-in';

/** How people ask by themselves, as the configuration says; undefined where it does not say it. */
export function verificationFromConfig(
  { intake, networks }: Pick<Config, 'intake' | 'networks'>,
  publicUrl: string,
): Pick<CreateVerificationOptions, 'rules' | 'questions' | 'identityProvider'> | undefined {
  if (intake === undefined) return undefined;
  const { questions, sign_in: signIn, limits } = intake;
  return {
    rules: {
      required: intake.require,
      expiresMilliseconds: intake.expires,
      asksPerClient: limitOf(limits.asks_per_client),
      callsPerClient: limitOf(limits.calls_per_client),
    },
    questions: questions && { ...questions, outbound: outboundTo(networks.allow_private) },
    identityProvider:
      signIn &&
      createIdentityProvider({
        issuer: signIn.issuer,
        clientId: signIn.client_id,
        clientSecret: signIn.client_secret,
        scopes: signIn.scopes,
        subjectType: signIn.subject_type,
        redirectUrl: `${publicUrl}${SIGN_IN_PATH}`,
        outbound: outboundTo(networks.allow_private),
      }),
  };
}

export function limitOf({ most, per }: { readonly most: number; readonly per: number }): Limit {
  return { most, periodMilliseconds: per };
}

function outboundTo(allowPrivate: readonly string[]): Outbound {
  return createOutbound({ policy: createOutboundPolicy({ allowPrivate }) });
}
