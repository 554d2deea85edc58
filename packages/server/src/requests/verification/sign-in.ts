import { HabeasError, type SignInSecrets } from '../../foundation/index.ts';
import { addIdentities, loadRequestKey, openText, type RequestRef, sealText } from '../identity-vault.ts';
import type { VerificationContext } from './context.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { newToken } from './secrets.ts';
import type { VerificationTables } from './tables.ts';
import type { SignInReturn, SignInStart } from './verification.ts';

/** How long somebody may take to sign in. */
const SIGN_IN_MILLISECONDS = 10 * 60_000;

/** Where identities come from that somebody's sign-in proved; in `request_identities`. */
export const SIGN_IN_SOURCE = 'sign-in';

/** Sends a browser to the organization's own sign-in. */
export async function beginSignIn(
  context: VerificationContext,
  provider: IdentityProvider,
  ref: RequestRef,
): Promise<SignInStart> {
  const { db, clock, digests, masterKey } = context;
  const { url, secrets } = await provider.begin();
  const key = await loadRequestKey(db, ref, masterKey);
  const browserSecret = newToken();
  await db
    .withTables<VerificationTables>()
    .insertInto('verification_sign_ins')
    .values({
      organization_id: ref.organizationId,
      state_digest: digests.token(secrets.state),
      request_id: ref.requestId,
      browser_digest: digests.token(browserSecret),
      sealed_secrets: sealText(ref, key, JSON.stringify(secrets)),
      expires_at: new Date(clock.now().getTime() + SIGN_IN_MILLISECONDS),
    })
    .execute();
  return { url, browserSecret };
}

/**
 * Takes a browser back that signed in: what the provider verified joins the identities of the request. It has to be the browser
 * that began: otherwise somebody could send another person the link to sign in for a request that is not theirs. Each way back is
 * taken once, whether it succeeds or not.
 */
export async function endSignIn(
  context: VerificationContext,
  provider: IdentityProvider,
  { url, browserSecret }: SignInReturn,
): Promise<RequestRef> {
  const { db, clock, digests, masterKey, organizationId } = context;
  const state = url.searchParams.get('state');
  const begun =
    state === null || browserSecret === undefined
      ? undefined
      : await db
          .withTables<VerificationTables>()
          .deleteFrom('verification_sign_ins')
          .where('organization_id', '=', organizationId)
          .where('state_digest', '=', digests.token(state))
          .where('browser_digest', '=', digests.token(browserSecret))
          .where('expires_at', '>', clock.now())
          .returning(['request_id', 'sealed_secrets'])
          .executeTakeFirst();
  if (begun === undefined)
    throw new HabeasError(
      'PROOF_REFUSED',
      'This sign-in did not begin in this browser, or is over. Begin it again.',
    );
  const ref = { organizationId, requestId: begun.request_id };
  const key = await loadRequestKey(db, ref, masterKey);
  const secrets: SignInSecrets = JSON.parse(openText(ref, key, begun.sealed_secrets));
  const identities = await provider.finish(url, secrets);
  await db.transaction().execute(async (transaction) => {
    const signedIn = await transaction
      .withTables<VerificationTables>()
      .updateTable('verifications')
      .set({ signed_in: true })
      .where('organization_id', '=', organizationId)
      .where('request_id', '=', ref.requestId)
      .where('state', '=', 'open')
      .executeTakeFirst();
    if (signedIn.numUpdatedRows === 0n) return;
    // What somebody claimed before may be the same; the one that was proved counts.
    await addIdentities(
      transaction,
      identities.map((identity) => ({ ref, key, identity, source: SIGN_IN_SOURCE })),
      { takesOver: true },
    );
  });
  return ref;
}
