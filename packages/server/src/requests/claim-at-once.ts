import type { DueTask, Fact, Step } from './change.ts';
import { step } from './step.ts';
import type { StepContext } from './step-task.ts';

export interface ClaimedAtOnce {
  /** With the claimed tasks running, and no longer due. */
  readonly step: Step;
  /** That they were claimed: by a worker, whoever made the step. */
  readonly facts: readonly Fact[];
  readonly claimed: readonly { readonly taskId: string; readonly attempt: number }[];
}

/**
 * A step, and with it the claims of those tasks that it makes due and that `take` has a place for: the same as if their events had come
 * next, without a transaction for each. Pure but for `take`; a place that it gave is always used.
 */
export function claimAtOnce(
  made: Step,
  context: StepContext,
  take: (task: DueTask) => boolean,
): ClaimedAtOnce {
  const claimed: { readonly taskId: string; readonly attempt: number }[] = [];
  const facts: Fact[] = [];
  let after = made;
  for (const due of made.due) {
    const task = after.tasks.find((change) => change.id === due.taskId);
    if (task === undefined || due.at > context.now) continue;
    const claim = step({ request: after.request, task, others: [] }, { type: 'task-claimed' }, context);
    if ('refused' in claim || !take(due)) continue;
    const [running] = claim.tasks;
    if (running === undefined) continue;
    claimed.push({ taskId: due.taskId, attempt: running.attempt });
    facts.push(...claim.facts);
    after = {
      ...after,
      request: claim.request,
      tasks: after.tasks.map((change) => (change === task ? { ...task, ...running } : change)),
      due: after.due.filter((other) => other !== due),
    };
  }
  return { step: after, facts, claimed };
}
