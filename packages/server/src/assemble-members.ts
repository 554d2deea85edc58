import { createMemberSignIn, createMembers, createSessions, MEMBER_SIGN_IN_PATH } from './access/index.ts';
import { appendAudit } from './audit/index.ts';
import { type Config, createOidcProvider, type Outbound, systemClock } from './foundation/index.ts';
import type { Foundations } from './foundations.ts';

/** Who signs in in a browser, and how. */
export function assembleMembers(
  { db, organizationId, masterKey }: Foundations,
  { sign_in: signIn }: Config,
  { outbound, publicUrl }: { readonly outbound: Outbound; readonly publicUrl: string },
) {
  const clock = systemClock;
  const context = { db, organizationId, clock, audit: appendAudit };
  const sessions = createSessions(context);
  const members = createMembers(context, {
    groupsClaim: signIn?.groups_claim ?? 'groups',
    groups: signIn?.groups ?? {},
  });
  return {
    sessions,
    members,
    memberSignIn:
      signIn &&
      createMemberSignIn({
        name: signIn.name,
        organizationId,
        masterKey,
        clock,
        members,
        sessions,
        provider: createOidcProvider({
          issuer: signIn.issuer,
          clientId: signIn.client_id,
          clientSecret: signIn.client_secret,
          scopes: signIn.scopes,
          redirectUrl: `${publicUrl}${MEMBER_SIGN_IN_PATH}`,
          outbound,
        }),
      }),
  };
}
