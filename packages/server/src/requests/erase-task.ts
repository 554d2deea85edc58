import { HabeasError } from '../foundation/index.ts';
import { mergeEvidence } from './merge-evidence.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** Erases by the stored identities and keys; in a dry run it only counts. */
export async function eraseTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const outcome = await connector.erase(context.scope, context.request.dry_run ? 'dry-run' : 'erase');
  if (outcome.state === 'pending') return outcome;
  const before = context.task.evidence;
  const evidence = before === null ? outcome.evidence : mergeEvidence(JSON.parse(before), outcome.evidence);
  return { state: 'succeeded', matched: evidence.matched, result: { operation: null, evidence } };
}

/** Reads the system again. Throws STILL_READABLE while anything that had to go is still there. */
export async function verifyTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const residue = await connector.verify(context.scope);
  const left = Object.entries(residue.remaining).filter(([, count]) => count > 0);
  if (left.length > 0) {
    const where = left.map(([collection, count]) => `${count} in ${collection}`).join(', ');
    throw new HabeasError(
      'STILL_READABLE',
      `${context.task.system} still holds data that had to be erased: ${where}. Ask team ${context.task.team} why, then retry the task: it erases and reads again.`,
      { retryable: true },
    );
  }
  return {
    state: 'succeeded',
    matched: null,
    result: {
      evidence: {
        matched: false,
        counts: { ...residue.remaining },
        retained: residue.retained,
        residuals: [],
        ...(residue.hidden === undefined || Object.keys(residue.hidden).length === 0
          ? { notes: ['read again: nothing left to erase'] }
          : {
              hidden: residue.hidden,
              notes: [
                'read again: what is only marked as deleted carries the mark, and nothing else is left',
              ],
            }),
      },
    },
  };
}
