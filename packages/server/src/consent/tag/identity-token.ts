import { api } from '@habeas/contract';
import { errors, jwtVerify } from 'jose';
import * as z from 'zod';
import type { Identity } from '../../catalog/index.ts';
import { type Clock, HabeasError } from '../../foundation/index.ts';
import { normalized } from '../create-consent.ts';

/** Who signed in at the organization, as its back end says. */
const claimsSchema = z.object({
  iat: z.number(),
  exp: z.number(),
  identity: api.identitySchema.transform(normalized).refine(({ value }) => value !== ''),
});

export interface IdentityTokenOptions {
  readonly organizationId: string;
  /** Base64, 24 to 64 bytes, with or without `whsec_`: several while one is replaced by another. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

/** A token that somebody copied is worth nothing for long. */
const LONGEST_SECONDS = 24 * 60 * 60;
const CLOCK_TOLERANCE_SECONDS = 60;

/**
 * Reads the token by which an organization's back end says who signed in: a JWT signed with HS256 (RFC 7519), whose audience is
 * `consent:<organization>` and whose claim `identity` is a type and a value; gives it normalized, so that a person has one however it is written. Throws UNAUTHENTICATED, with what is wrong and never with what it says.
 */
export async function readIdentityToken(
  token: string,
  { organizationId, secrets, clock }: IdentityTokenOptions,
): Promise<Identity> {
  if (secrets.length === 0) throw refused('this organization takes none: set consent.identity_secrets');
  const audience = `consent:${organizationId}`;
  for (const secret of secrets) {
    try {
      const { payload } = await jwtVerify(token, Buffer.from(secret.replace(/^whsec_/, ''), 'base64'), {
        algorithms: ['HS256'],
        audience,
        requiredClaims: ['iat', 'exp'],
        currentDate: clock.now(),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      const claims = claimsSchema.safeParse(payload);
      if (!claims.success) throw refused('it needs iat, exp and identity, with type and value');
      if (claims.data.iat > clock.now().getTime() / 1_000 + CLOCK_TOLERANCE_SECONDS)
        throw refused('it is of a time that has not come');
      if (claims.data.exp - claims.data.iat > LONGEST_SECONDS) throw refused('it holds for more than a day');
      return claims.data.identity;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      if (error instanceof errors.JWTExpired) throw refused('it has expired');
      if (error instanceof errors.JWTClaimValidationFailed)
        throw refused(`its ${error.claim} is not what it has to be; aud is ${audience}`);
      if (error instanceof errors.JOSEError) throw refused('it is no JWT signed with HS256');
      throw error;
    }
  }
  throw refused('it is signed with another secret');
}

function refused(why: string): HabeasError {
  return new HabeasError('UNAUTHENTICATED', `The identity token is refused: ${why}.`);
}
