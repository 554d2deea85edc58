import { advance, setState } from './conclude.ts';
import type { ConclusionContext } from './context.ts';
import { pruneRateLimits } from './rate-limits.ts';
import type { VerificationTables } from './tables.ts';

const BATCH = 200;

/** Goes on with what was proved when its process died, and ends what was not proved in time. */
export async function sweepVerifications(context: ConclusionContext): Promise<void> {
  const { db, organizationId, clock, transitions, logger } = context;
  const now = clock.now();
  const tables = db.withTables<VerificationTables>();
  const found = await tables
    .selectFrom('verifications')
    .select(['request_id', 'state'])
    .where('organization_id', '=', organizationId)
    .where('state', '<>', 'ended')
    .where((where) => where.or([where('state', '=', 'proved'), where('expires_at', '<=', now)]))
    .limit(BATCH)
    .execute();
  for (const { request_id: requestId, state } of found) {
    const ref = { organizationId, requestId };
    try {
      if (state === 'proved') {
        await advance(context, ref);
        continue;
      }
      // Refused where an officer ended it meanwhile; then only the row is left.
      await transitions.apply(ref, { type: 'expired' }, { actor: 'system' });
      await setState(db, ref, 'ended');
    } catch (error) {
      logger.warn({ err: error, request: requestId }, 'a proof could not be concluded; it is tried again');
    }
  }
  await tables
    .deleteFrom('verification_sign_ins')
    .where('organization_id', '=', organizationId)
    .where('expires_at', '<=', now)
    .execute();
  await pruneRateLimits(db, organizationId, now);
}
