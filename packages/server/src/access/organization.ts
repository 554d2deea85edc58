import type { Database } from '../foundation/index.ts';
import type { AccessTables } from './tables.ts';

/**
 * Makes the organization if it is not there, and holds its row until the caller's transaction ends: of two servers that
 * start together, the second waits here and then sees what the first one made.
 */
export async function lockOrganization(
  transaction: Database,
  options: { readonly organizationId: string; readonly now: Date },
): Promise<void> {
  const tables = transaction.withTables<AccessTables>();
  await tables
    .insertInto('organizations')
    .values({ organization_id: options.organizationId, created_at: options.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await tables
    .selectFrom('organizations')
    .select('organization_id')
    .where('organization_id', '=', options.organizationId)
    .forUpdate()
    .execute();
}
