import { type Clock, type Database, HabeasError } from '../foundation/index.ts';
import type { RetryRules } from './back-off.ts';
import { type EventTarget, type LoadedNeighbourhood, loadNeighbourhood } from './neighbourhood.ts';
import { saveStep, type TaskResult } from './save-step.ts';
import { type Event, isEnded, type Step, step } from './step.ts';
import type { TaskQueue } from './task-queue.ts';
import { removeWorkingCopy } from './working-copy.ts';

export interface ApplyOptions {
  readonly actor: string;
  readonly result?: TaskResult;
  /** More to write in the same transaction, before the step is saved; it may look at what the step will do. */
  readonly also?: (transaction: Database, step: Step) => Promise<void>;
}

export type Applied =
  | { readonly applied: true; readonly step: Step; readonly before: LoadedNeighbourhood }
  | { readonly applied: false; readonly refused: string; readonly before: LoadedNeighbourhood };

export interface TransitionsOptions {
  readonly db: Database;
  readonly queue: TaskQueue;
  readonly clock: Clock;
  readonly retry: RetryRules;
  /** In [0, 1). */
  readonly random: () => number;
  readonly forgetAfterMilliseconds: number;
}

/** The only way in which a request or a task changes: one event, one transaction, one step. */
export interface Transitions {
  apply(target: EventTarget, event: Event, options: ApplyOptions): Promise<Applied>;
  /** The same inside a transaction that the caller has open. */
  applyIn(transaction: Database, target: EventTarget, event: Event, options: ApplyOptions): Promise<Applied>;
}

export function createTransitions(options: TransitionsOptions): Transitions {
  const applyIn: Transitions['applyIn'] = async (transaction, target, event, apply) => {
    const before = await loadNeighbourhood(transaction, target, event);
    const now = options.clock.now();
    const outcome = step(before, event, { now, retry: options.retry, random: options.random() });
    if ('refused' in outcome) return { applied: false, refused: outcome.refused, before };
    if (apply.also !== undefined) await apply.also(transaction, outcome);
    await saveStep(transaction, {
      ...target,
      before,
      step: outcome,
      result: apply.result ?? {},
      actor: apply.actor,
      now,
      forgetAfterMilliseconds: options.forgetAfterMilliseconds,
    });
    await options.queue.enqueue(transaction, target, outcome.enqueue);
    for (const gate of outcome.gates) {
      const opened = await applyIn(
        transaction,
        { ...target, taskId: gate },
        { type: 'gate-opened' },
        { actor: apply.actor },
      );
      if (!opened.applied)
        throw new HabeasError(
          'INTERNAL',
          `A gate of request ${target.requestId} did not open: ${opened.refused}.`,
        );
    }
    if (isEnded(outcome.request.state) && !isEnded(before.request.state))
      await removeWorkingCopy(transaction, target);
    return { applied: true, step: outcome, before };
  };
  return {
    applyIn,
    apply: (target, event, apply) =>
      options.db.transaction().execute((transaction) => applyIn(transaction, target, event, apply)),
  };
}
