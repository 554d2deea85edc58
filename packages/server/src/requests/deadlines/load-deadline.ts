import type { Database } from '../../foundation/index.ts';
import type { DeadlineRules, Policy } from '../../policy/index.ts';
import type { RequestRef } from '../identity-vault.ts';
import type { RequestRow } from '../neighbourhood.ts';
import { isEnded } from '../snapshot.ts';
import type { RequestTables } from '../tables.ts';
import type { DeadlineState } from './step-deadline.ts';

export type ChangeRow = Omit<RequestTables['deadline_changes'], 'organization_id' | 'request_id'>;

export interface LoadedDeadline {
  readonly state: DeadlineState;
  readonly rows: readonly ChangeRow[];
}

/** What the term of a request depends on, from its row and what happened to it since. */
export async function loadDeadline(
  db: Database,
  request: RequestRow & { readonly deadline_rules: string | null },
  policy: Pick<Policy, 'deadlinesOf'>,
): Promise<LoadedDeadline> {
  const rows = await db
    .withTables<RequestTables>()
    .selectFrom('deadline_changes')
    .select(['position', 'kind', 'reason', 'at', 'actor', 'due_before', 'due_after', 'explanation'])
    .where('organization_id', '=', request.organization_id)
    .where('request_id', '=', request.id)
    .orderBy('position')
    .execute();
  const frozen: DeadlineRules | undefined =
    request.deadline_rules === null ? undefined : JSON.parse(request.deadline_rules);
  return {
    rows,
    state: {
      receivedAt: request.received_at,
      dueAt: request.due_at,
      // A request of a version that froze no terms is counted by those of today.
      rules: frozen ?? policy.deadlinesOf(request.regime ?? undefined),
      ended: isEnded(request.state),
      changes: rows.map(({ kind, at, reason }) => ({ kind, at, reason })),
    },
  };
}

/** Its row alone; every change of a request takes its turn at this lock. */
export function lockedRequest(transaction: Database, ref: RequestRef) {
  return transaction
    .withTables<RequestTables>()
    .selectFrom('requests')
    .where('organization_id', '=', ref.organizationId)
    .where('id', '=', ref.requestId)
    .forNoKeyUpdate();
}
