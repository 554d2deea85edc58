import { HabeasError } from '../foundation/index.ts';
import { addIdentities } from './identity-vault.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** One person has a handful; thousands would make every later call about somebody else. */
const MOST_IDENTITIES = 1_000;

/** Asks one system for more identities. They are stored in the transaction that ends the task. */
export async function resolveTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const { scope } = context;
  // Resolvers run side by side: a later attempt may know more identities, and the same key stands for the same question.
  const idempotencyKey = `${scope.idempotencyKey}.${scope.identities.length}`;
  const found = connector.resolve === undefined ? [] : await connector.resolve({ ...scope, idempotencyKey });
  if (found.length > MOST_IDENTITIES) {
    throw new HabeasError(
      'SYSTEM_GARBAGE',
      `${context.task.system} answered with ${found.length} identities for one person; more than ${MOST_IDENTITIES} are not believed. Ask team ${context.task.team} what it resolves.`,
    );
  }
  const counts: Record<string, number> = {};
  for (const identity of found) counts[identity.type] = (counts[identity.type] ?? 0) + 1;
  return {
    state: 'succeeded',
    matched: found.length > 0 ? true : null,
    result: { evidence: { matched: found.length > 0, counts, retained: [], residuals: [], notes: [] } },
    also: async (transaction) => {
      const { ref, key } = context;
      const source = context.task.system ?? 'unknown';
      await addIdentities(
        transaction,
        found.map((identity) => ({ ref, key, identity, source })),
      );
    },
  };
}
