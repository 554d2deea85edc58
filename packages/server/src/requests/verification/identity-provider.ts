import type { api } from '@habeas/contract';
import {
  createOidcProvider,
  type OidcOptions,
  type OidcProvider,
  type SignInSecrets,
  verifiedEmail,
} from '../../foundation/index.ts';

export interface IdentityProviderOptions extends OidcOptions {
  /** The type of identity that `sub` is. */
  readonly subjectType: string;
}

/** Where the organization's own users sign in. */
export interface IdentityProvider extends Pick<OidcProvider, 'begin'> {
  /** The identities that the provider says are verified. Throws PROOF_REFUSED if anything does not fit. */
  finish(back: URL, secrets: SignInSecrets): Promise<readonly api.Identity[]>;
}

export function createIdentityProvider(options: IdentityProviderOptions): IdentityProvider {
  const provider = createOidcProvider(options);
  return {
    begin: () => provider.begin(),
    async finish(back, secrets) {
      const claims = await provider.finish(back, secrets);
      const email = verifiedEmail(claims);
      const { sub, phone_number, phone_number_verified } = claims;
      return [
        { type: options.subjectType, value: sub },
        ...(email === undefined ? [] : [{ type: 'email', value: email }]),
        ...(typeof phone_number === 'string' && phone_number_verified === true
          ? [{ type: 'phone_number', value: phone_number }]
          : []),
      ];
    },
  };
}
