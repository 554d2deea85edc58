import type { Database } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import { inPairs } from './neighbourhood.ts';
import type { RequestTables } from './tables.ts';

/** Found keys and collected rows are of no use once a request has ended; the package stays until it expires. */
export async function removeWorkingCopies(transaction: Database, refs: readonly RequestRef[]): Promise<void> {
  if (refs.length === 0) return;
  await transaction
    .withTables<RequestTables>()
    .deleteFrom('request_blobs')
    .where(
      inPairs(
        'organization_id',
        'request_id',
        refs.map((ref) => [ref.organizationId, ref.requestId]),
      ),
    )
    .where('blob', 'not like', 'package/%')
    .execute();
}
