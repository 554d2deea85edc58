import type { Database } from '../../foundation/index.ts';
import type { RequestRef } from '../identity-vault.ts';
import type { VerificationTables } from './tables.ts';

/** What was stored for the proof of a request that is forgotten. */
export async function forgetVerification(transaction: Database, ref: RequestRef): Promise<void> {
  const tables = transaction.withTables<VerificationTables>();
  for (const table of [
    'verifications',
    'verification_contacts',
    'verification_tokens',
    'verification_sign_ins',
    'verified_subjects',
  ] as const)
    await tables
      .deleteFrom(table)
      .where('organization_id', '=', ref.organizationId)
      .where('request_id', '=', ref.requestId)
      .execute();
}
