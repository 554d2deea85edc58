import type { Evidence } from '../connectors/index.ts';
import { type Database, kept, together } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import { inPairs } from './neighbourhood.ts';
import { discardPackages } from './package/discard-packages.ts';
import type { RequestTables } from './tables.ts';

/**
 * What remains to be done when requests end, in the transaction that ends them: found keys and collected rows are of no use
 * any more (the package of a completed one stays until it expires), and the date is kept on which the last copy ends that could not be removed.
 */
export async function concludeRequests(
  transaction: Database,
  refs: readonly RequestRef[],
  now: Date,
): Promise<void> {
  if (refs.length === 0) return;
  const pairs = refs.map((ref) => [ref.organizationId, ref.requestId] as const);
  const [tasks] = await together(transaction, (pipelined) => {
    const tables = pipelined.withTables<RequestTables>();
    return [
      tables
        .selectFrom('tasks')
        .modifyFront(kept)
        .select(['organization_id', 'request_id', 'evidence'])
        .where(inPairs('organization_id', 'request_id', pairs))
        .where('kind', 'in', ['erase', 'rectify', 'restrict', 'object'])
        .where('evidence', 'is not', null)
        .execute(),
      tables
        .deleteFrom('request_blobs')
        .where(inPairs('organization_id', 'request_id', pairs))
        .execute(),
      discardPackages(pipelined, { why: 'ended', requests: pairs }, now),
    ];
  });
  const ends = new Map<string, { readonly ref: RequestRef; readonly until: Date }>();
  for (const task of tasks) {
    const ref = { organizationId: task.organization_id, requestId: task.request_id };
    const until = lastEnd(JSON.parse(task.evidence ?? '{}'));
    const known = ends.get(task.request_id)?.until;
    if (until !== undefined && (known === undefined || until > known))
      ends.set(task.request_id, { ref, until });
  }
  for (const { ref, until } of ends.values()) {
    await transaction
      .withTables<RequestTables>()
      .updateTable('requests')
      .set({ residual_until: until })
      .where('organization_id', '=', ref.organizationId)
      .where('id', '=', ref.requestId)
      .execute();
  }
}

/** The latest date among residuals; those without one, or with words instead, say so in the receipt. */
function lastEnd(evidence: Partial<Evidence>): Date | undefined {
  const times = (evidence.residuals ?? [])
    .map(({ until }) => Date.parse(until ?? ''))
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}
