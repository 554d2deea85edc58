import type { Database } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { RequestTables } from './tables.ts';

/** Found keys and collected rows are of no use once the request has ended; the package stays until it expires. */
export async function removeWorkingCopy(transaction: Database, ref: RequestRef): Promise<void> {
  await transaction
    .withTables<RequestTables>()
    .deleteFrom('request_blobs')
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('blob', 'not like', 'package/%')
    .execute();
}
