import { sql } from 'kysely';
import { type Clock, type Database, HabeasError } from '../../foundation/index.ts';
import type { Digests } from './secrets.ts';

/** At most `most` at once, and as many in each period over time. */
export interface Limit {
  readonly most: number;
  readonly periodMilliseconds: number;
}

export interface LimitedAct {
  readonly organizationId: string;
  /** What is counted, such as `ask`. */
  readonly scope: string;
  /** A client's address or a person's; only a keyed hash of it is stored. */
  readonly whom: string;
  readonly limit: Limit;
}

/** Counts what strangers do, in the database, so that any number of servers counts together. */
export interface RateLimits {
  /** Whether it may be done once more; counts it if so. */
  take(act: LimitedAct): Promise<boolean>;
  /** Throws TOO_MANY_REQUESTS if not. */
  demand(act: LimitedAct): Promise<void>;
}

/** Between the clocks of servers, and of calls on one server. */
const MOST_SKEW_MILLISECONDS = 1_000;

/**
 * Generic cell rate algorithm (ITU-T I.371): one row for each counted party, with the moment at which it has its full allowance
 * again; one statement for each act, so that two servers cannot both take the last one.
 */
export function createRateLimits(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly digests: Digests;
}): RateLimits {
  const { db, clock, digests } = options;
  const take: RateLimits['take'] = async ({ organizationId, scope, whom, limit }) => {
    const now = clock.now();
    const cost = limit.periodMilliseconds / limit.most;
    const fullAt = new Date(now.getTime() + cost);
    // Who comes at the same time may be counted first though they read their clock later; half of one act lets nobody act once more.
    const skew = Math.min(cost / 2, MOST_SKEW_MILLISECONDS);
    const latest = new Date(now.getTime() + limit.periodMilliseconds + skew);
    const { rows } = await sql`
      insert into rate_limits as r (organization_id, scope, whom, full_at)
      values (${organizationId}, ${scope}, ${digests.limited(scope, whom)}, ${fullAt})
      on conflict (organization_id, scope, whom) do update
        set full_at = greatest(r.full_at, ${now}) + make_interval(secs => ${cost / 1_000})
        where greatest(r.full_at, ${now}) + make_interval(secs => ${cost / 1_000}) <= ${latest}
      returning 1`.execute(db);
    return rows.length > 0;
  };
  return {
    take,
    async demand(act) {
      if (await take(act)) return;
      throw new HabeasError('TOO_MANY_REQUESTS', 'Too much was asked from here. Try again later.', {
        retryable: true,
      });
    },
  };
}

/** Forgets who has their full allowance again. */
export async function pruneRateLimits(db: Database, organizationId: string, now: Date): Promise<void> {
  await sql`delete from rate_limits where organization_id = ${organizationId} and full_at <= ${now}`.execute(
    db,
  );
}
