import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import type { Identity } from '../../catalog/index.ts';
import { isWithinCategory } from '../../catalog/index.ts';
import type { PlannableSystem } from '../../connectors/index.ts';
import { type Database, deriveKey, kept, type SecretKey } from '../../foundation/index.ts';
import { comparableIdentity } from '../comparable-identity.ts';
import type { RequestTables } from '../tables.ts';

/** A legal hold that is in force, as far as it can cover a request. */
export interface ActiveHold {
  readonly id: string;
  readonly scope: RequestTables['legal_holds']['scope'];
  readonly system: string | null;
  readonly category: string | null;
}

/**
 * Names an identity for the holds of an organization: keyed, so that nobody can guess it from what is stored, and in one form, so
 * that another spelling of an address is still the same. Spelling that is taken for the same by mistake holds too much, not too little.
 */
export function holdDigest(masterKey: SecretKey, organizationId: string, identity: Identity): Buffer {
  const key = deriveKey(masterKey, `legal holds of ${organizationId}`);
  return createHmac('sha256', key).update(comparableIdentity(identity)).digest();
}

/** Holds of the organization that are in force. */
export async function activeHolds(db: Database, organizationId: string): Promise<readonly ActiveHold[]> {
  return db
    .withTables<RequestTables>()
    .selectFrom('legal_holds')
    .modifyFront(kept)
    .select(['id', 'scope', 'system', 'category'])
    .where('organization_id', '=', organizationId)
    .where('released_at', 'is', null)
    .orderBy('id')
    .execute();
}

/** Ids of the holds in force on one of these identities. */
export async function holdsOnIdentities(
  db: Database,
  organizationId: string,
  digests: readonly Uint8Array[],
): Promise<ReadonlySet<string>> {
  if (digests.length === 0) return new Set();
  const rows = await db
    .withTables<RequestTables>()
    .selectFrom('legal_hold_identities')
    .select('hold_id')
    .where('organization_id', '=', organizationId)
    .where('digest', 'in', [...digests])
    .execute();
  return new Set(rows.map((row) => row.hold_id));
}

/** Whether a system may hold data of a category, or of one below or above it. One that tells nothing may hold anything. */
export function mayHold(
  system: Pick<PlannableSystem, 'coverage' | 'needs'>,
  category: string,
  identityTypes: readonly string[],
): boolean {
  const coverage = system.coverage?.(new Set([...identityTypes, ...system.needs]));
  if (coverage === undefined) return true;
  return coverage.collections.some(({ categories }) =>
    categories.some((one) => isWithinCategory(one, category) || isWithinCategory(category, one)),
  );
}

/**
 * Whoever plans requests shares this lock until the commit; who places or releases a hold has it alone. So a hold and a request that
 * come at once cannot pass each other unseen.
 */
export async function shareHolds(transaction: Database, organizationId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(hashtextextended(${lockName(organizationId)}, 0))`.execute(
    transaction,
  );
}

export async function lockHolds(transaction: Database, organizationId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${lockName(organizationId)}, 0))`.execute(
    transaction,
  );
}

function lockName(organizationId: string): string {
  return `legal holds of ${organizationId}`;
}
