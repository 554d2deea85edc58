import { addIdentities } from './identity-vault.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** Asks one system for more identities. They are stored in the transaction that ends the task. */
export async function resolveTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const found = connector.resolve === undefined ? [] : await connector.resolve(context.scope);
  const counts: Record<string, number> = {};
  for (const identity of found) counts[identity.type] = (counts[identity.type] ?? 0) + 1;
  return {
    state: 'succeeded',
    matched: found.length > 0 ? true : null,
    result: { evidence: { matched: found.length > 0, counts, retained: [], residuals: [], notes: [] } },
    also: async (transaction) => {
      await addIdentities(transaction, context.ref, {
        key: context.key,
        identities: found,
        source: context.task.system ?? 'unknown',
      });
    },
  };
}
