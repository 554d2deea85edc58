import { type Database, HabeasError, type SecretKey } from '../foundation/index.ts';
import type { Policy } from '../policy/index.ts';
import { loadChanges } from './change-vault.ts';
import { denialOf, noAppealBecause } from './denial.ts';
import { loadIdentities, loadRequestKey, type RequestRef } from './identity-vault.ts';
import type { RequestRow } from './neighbourhood.ts';
import { requestRow } from './read-requests.ts';
import type { ReceiveOptions } from './requests.ts';
import { REQUEST_COLUMNS, type RequestTables } from './tables.ts';

/** The appeal that was made against a request; undefined: none. */
export async function appealAgainst(db: Database, ref: RequestRef): Promise<RequestRow | undefined> {
  return db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(REQUEST_COLUMNS)
    .where('organization_id', '=', ref.organizationId)
    .where('appeal_of', '=', ref.requestId)
    .executeTakeFirst();
}

/** What an appeal asks for: what the denied request asked for. Throws CONFLICT where there is nothing to appeal against, and why. */
export async function appealOptions(options: {
  readonly db: Database;
  readonly masterKey: SecretKey;
  readonly policy: Pick<Policy, 'defaultRegime'>;
  readonly ref: RequestRef;
}): Promise<ReceiveOptions> {
  const { db, masterKey, policy, ref } = options;
  const row = await requestRow(db, ref);
  const refuse = (why: string) =>
    new HabeasError('CONFLICT', `There is no appeal against request ${ref.requestId}: ${why}.`);
  if ((await denialOf(db, row)) === undefined)
    throw refuse(`it is ${row.state}, and nothing of it was denied`);
  const why = noAppealBecause(row, policy);
  if (why !== undefined) throw refuse(why);
  try {
    const key = await loadRequestKey(db, ref, masterKey);
    const changes = await loadChanges(db, ref, key);
    return {
      right: row.right_kind,
      identities: await loadIdentities(db, ref, key, 'request'),
      dryRun: row.dry_run,
      regime: row.regime ?? policy.defaultRegime,
      subjectKind: row.subject_kind ?? undefined,
      changes: changes.length === 0 ? undefined : changes,
      purposes: row.purposes.length === 0 ? undefined : row.purposes,
      lift: row.lift,
      language: row.language ?? undefined,
      // Of two calls at the same time one makes the appeal, and the other one gets it.
      idempotencyKey: `appeal ${ref.requestId}`,
    };
  } catch (error) {
    if (error instanceof HabeasError && error.code === 'KEY_DESTROYED')
      throw refuse('whom it was about is forgotten; make a new request');
    throw error;
  }
}
