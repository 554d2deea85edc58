import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { RequestRef } from '../identity-vault.ts';

/** With one code; after it, another one has to be sent. */
const MOST_ATTEMPTS = 5;

/**
 * Tries a code: one statement counts the attempt and, if it fits, uses it up, so that of any number of tries at the same time one
 * alone succeeds, and none is not counted.
 */
export async function proveContact(
  db: Database,
  ref: RequestRef,
  proof: { readonly position: number; readonly codeDigest: Uint8Array; readonly now: Date },
): Promise<boolean> {
  const { position, codeDigest, now } = proof;
  const { rows } = await sql<{ readonly proved: boolean }>`
    update verification_contacts set
      attempts = attempts + 1,
      proved_at = case when code_digest = ${codeDigest} then ${now}::timestamptz else proved_at end,
      code_digest = case when code_digest = ${codeDigest} then null else code_digest end
    where organization_id = ${ref.organizationId} and request_id = ${ref.requestId} and position = ${position}
      and code_digest is not null and code_expires_at > ${now} and attempts < ${MOST_ATTEMPTS}
    returning code_digest is null as proved`.execute(db);
  return rows[0]?.proved === true;
}
