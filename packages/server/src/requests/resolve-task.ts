import { mostValues } from '../catalog/index.ts';
import { HabeasError } from '../foundation/index.ts';
import { addIdentities, identityDigests } from './identity-vault.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/**
 * Asks one system for more identities. They are stored in the transaction that ends the task. A system that was asked before
 * is asked only if others told something since.
 */
export async function resolveTask(context: TaskContext): Promise<TaskOutcome> {
  const { scope, askedBefore } = context;
  const known = identityDigests(context.key, scope.identities);
  if (askedBefore !== undefined && known.every((digest) => askedBefore.has(digest))) {
    const notes = ['nothing was told since it was asked before'];
    const evidence = { matched: false, counts: {}, retained: [], residuals: [], notes };
    return { state: 'succeeded', matched: null, result: { evidence } };
  }
  const connector = await context.connector();
  // Resolvers run side by side: a later attempt may know more identities, and the same key stands for the same question.
  const idempotencyKey = `${scope.idempotencyKey}.${scope.identities.length}`;
  const told = connector.resolve === undefined ? [] : await connector.resolve({ ...scope, idempotencyKey });
  // A system may tell the same once for each of its rows.
  const found = [
    ...new Map(told.map((identity) => [JSON.stringify([identity.type, identity.value]), identity])).values(),
  ];
  const counts: Record<string, number> = {};
  for (const identity of found) counts[identity.type] = (counts[identity.type] ?? 0) + 1;
  for (const [type, count] of Object.entries(counts)) {
    const most = mostValues(type);
    if (count <= most) continue;
    throw new HabeasError(
      'SYSTEM_GARBAGE',
      `${context.task.system} answered with ${count} identities of the type ${type} for one person; more than ${most} are not believed. Ask team ${context.task.team} what it resolves.`,
    );
  }
  return {
    state: 'succeeded',
    matched: found.length > 0 ? true : null,
    result: {
      contents: JSON.stringify([...new Set([...known, ...identityDigests(context.key, found)])]),
      evidence: { matched: found.length > 0, counts, retained: [], residuals: [], notes: [] },
    },
    also: async (transaction) => {
      const { ref, key } = context;
      const source = context.task.system ?? 'unknown';
      await addIdentities(
        transaction,
        found.map((identity) => ({ ref, key, identity, source })),
      );
    },
    first: async (transaction) => {
      const hold = await context.holdOn(transaction, found);
      return hold === undefined ? undefined : { type: 'legal-hold-placed', hold };
    },
  };
}
