import { randomUUID } from 'node:crypto';
import type { api } from '@habeas/contract';
import type { ChangeMode, ChangeWork, Connector, Outcome } from '../connectors/index.ts';
import { HabeasError, type SecretKey } from '../foundation/index.ts';
import { fieldChanges } from './change-vault.ts';
import { mergeEvidence } from './merge-evidence.ts';
import type { RequestRow } from './neighbourhood.ts';
import { readEvidence } from './read-evidence.ts';
import { takeTurn } from './rectification-turn.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** What a request changes in systems without erasing; undefined for one that reads or erases. */
export function changeWorkOf(
  request: Pick<RequestRow, 'right_kind' | 'purposes' | 'lift'>,
  changes: readonly api.FieldChange[],
): ChangeWork | undefined {
  const { right_kind: right, purposes } = request;
  const effect = request.lift ? 'lift' : 'set';
  switch (right) {
    case 'rectification':
      return { kind: 'rectify', changes: fieldChanges(changes) };
    case 'restriction':
      return { kind: 'restrict', effect };
    case 'objection':
    case 'opt_out_of_sale':
    case 'limit_sensitive_data':
      return { kind: 'object', right, purposes, effect };
    case 'access':
    case 'portability':
    case 'erasure':
      return undefined;
    default:
      return right satisfies never;
  }
}

/** Changes the system by the stored identities and keys; in a dry run it only tries and counts. */
export async function changeTask(context: TaskContext): Promise<TaskOutcome> {
  const { connector, work } = await open(context);
  const mode: ChangeMode = context.request.dry_run ? 'dry-run' : 'change';
  return concluded(context, await change(connector, context, { work, mode }));
}

/**
 * Tries the new values and counts what they would change, when no other rectification of the person comes first. Throws VALUE_INVALID
 * for one that does not fit.
 */
export async function validateTask(context: TaskContext, masterKey: SecretKey): Promise<TaskOutcome> {
  if (!context.request.dry_run) {
    const after = await takeTurn({ ...context, masterKey, identities: context.scope.identities });
    if (after !== undefined) return { state: 'not-its-turn', after };
  }
  const { connector, work } = await open(context);
  return concluded(context, await change(connector, context, { work, mode: 'dry-run' }));
}

/** Reads the system again. Throws NOT_APPLIED while anything is not as it has to be. */
export async function verifyChangeTask(context: TaskContext): Promise<TaskOutcome> {
  const { connector, work } = await open(context);
  // Under the task's own key a service would answer what it answered before, and not read again.
  const again = context.task.operation === null ? `.${randomUUID()}` : '';
  const scope = {
    ...context.scope,
    idempotencyKey: `${context.scope.idempotencyKey}${again}`,
    callback: undefined,
  };
  const outcome = await change(connector, { ...context, scope }, { work, mode: 'dry-run' });
  if (outcome.state === 'pending') return outcome;
  const left = Object.entries(outcome.evidence.counts).filter(([, count]) => count > 0);
  if (left.length > 0) {
    const where = left.map(([collection, count]) => `${count} in ${collection}`).join(', ');
    throw new HabeasError(
      'NOT_APPLIED',
      `${context.task.system} does not say what it has to after the change: ${where}. Ask team ${context.task.team} why, then retry the task: it changes and reads again.`,
      { retryable: true },
    );
  }
  const notes = ['read again: everything is as it has to be'];
  const evidence = { matched: false, counts: {}, retained: outcome.evidence.retained, residuals: [], notes };
  return { state: 'succeeded', matched: null, result: { operation: null, evidence } };
}

async function open(
  context: TaskContext,
): Promise<{ readonly connector: Connector; readonly work: ChangeWork }> {
  const work = changeWorkOf(context.request, context.changes);
  if (work === undefined)
    throw new HabeasError('INTERNAL', `A ${context.request.right_kind} has nothing to change.`);
  return { connector: await context.connector(), work };
}

async function change(
  connector: Connector,
  context: TaskContext,
  { work, mode }: { readonly work: ChangeWork; readonly mode: ChangeMode },
): Promise<Outcome> {
  if (connector.change === undefined) {
    throw new HabeasError(
      'SYSTEM_REFUSED',
      `${context.task.system} cannot do this any more. Skip the task with a reason, and do it by hand.`,
    );
  }
  return connector.change(context.scope, work, mode);
}

function concluded(context: TaskContext, outcome: Outcome): TaskOutcome {
  if (outcome.state === 'pending') return outcome;
  const before = context.task.evidence;
  const evidence = before === null ? outcome.evidence : mergeEvidence(readEvidence(before), outcome.evidence);
  return { state: 'succeeded', matched: evidence.matched, result: { operation: null, evidence } };
}
