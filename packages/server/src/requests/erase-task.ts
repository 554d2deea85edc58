import type { Connector, Evidence } from '../connectors/index.ts';
import { HabeasError } from '../foundation/index.ts';
import { largerEvidence, mergeEvidence } from './merge-evidence.ts';
import { readEvidence } from './read-evidence.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** Erases by the stored identities and keys; in a dry run it only counts. */
export async function eraseTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const { scope, task } = context;
  const unanswered = scope.retried === true && task.evidence === null ? true : undefined;
  const outcome = await connector.erase(
    { ...scope, unanswered },
    context.request.dry_run ? 'dry-run' : 'erase',
  );
  if (outcome.state === 'pending') return outcome;
  const before = task.evidence;
  const evidence =
    before === null
      ? outcome.evidence
      : mergeEvidence(readEvidence(before), await withLostAnswer(context, connector, outcome.evidence));
  return { state: 'succeeded', matched: evidence.matched, result: { operation: null, evidence } };
}

/**
 * What was erased anew, also by an attempt whose answer was lost. The evidence of the former erasure is kept, so that its keys, which are gone as
 * they should be, must not count again: where fewer are told than the last search found, the system is asked what became of the keys of that alone.
 *
 *     keys     a b        erased: 2, answered
 *     keys     a b │ b c  found again: b, and c beside it; erased, and the answer is lost
 *     retry    a b │ b c  0 of all of them are left, 2 of the last search are gone: 2
 */
async function withLostAnswer(
  { scope, lastKeys, request }: TaskContext,
  connector: Connector,
  told: Evidence,
): Promise<Evidence> {
  if (lastKeys === undefined || request.dry_run) return told;
  const found: Record<string, number> = {};
  for await (const { collection, count } of lastKeys()) found[collection] = (found[collection] ?? 0) + count;
  if (Object.entries(found).every(([name, count]) => (told.counts[name] ?? 0) >= count)) return told;
  const outcome = await connector.erase({ ...scope, keys: lastKeys, unanswered: true }, 'erase');
  // Who answers later counts nothing for lost answers.
  return outcome.state === 'pending' ? told : largerEvidence(told, outcome.evidence);
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
        ...readAgain(residue.hidden ?? {}),
      },
    },
  };
}

/** `hidden`: collection → rows that are only marked as deleted. */
function readAgain(hidden: Readonly<Record<string, number>>): Pick<Evidence, 'notes' | 'effects'> {
  const names = Object.keys(hidden);
  if (names.length === 0) return { notes: ['read again: nothing left to erase'] };
  const effects = names.map((name) => {
    const rows = hidden[name] ?? 0;
    return [name, { found: rows, erased: 0, masked: 0, hidden: rows, kept: 0, level: 'hidden' }] as const;
  });
  return {
    effects: Object.fromEntries(effects),
    notes: ['read again: what is only marked as deleted carries the mark, and nothing else is left'],
  };
}
