import type { Fact } from './change.ts';
import { change, dueAt, type Step, type TaskChange, withState } from './change.ts';
import type { RedoneTask } from './event.ts';
import { isChanging } from './rights.ts';
import { isEndedTask, type RequestSnapshot } from './snapshot.ts';

/** Whether the system's erasure or change was done and can be done again; one that a person left out stays left out. */
export function canRedo(redo: readonly RedoneTask[]): boolean {
  return redo.some((task) => isChanging(task.kind) && task.state === 'succeeded');
}

/**
 * Data was found after an erasure, or a change did not hold: the system is located and acted on anew, under new idempotency keys,
 * and everything that came after the act comes after it again. So whatever was read before it is read once more after it, in every
 * system: the data may have come from there, or gone there.
 */
export function redo(
  request: RequestSnapshot,
  options: { readonly redo: readonly RedoneTask[]; readonly now: Date; readonly facts: readonly Fact[] },
): Step {
  const again = options.redo.filter((task) => task.state !== 'skipped' && task.state !== 'cancelled');
  const ids = new Set(again.map((task) => task.id));
  const system = again.find((task) => isChanging(task.kind))?.system;
  const tasks = again.flatMap((task): readonly TaskChange[] => {
    const remaining = task.dependsOn.filter(({ id, ended }) => ids.has(id) || !ended).length;
    if (task.state === 'pending' && task.remaining === remaining) return [];
    const { dependsOn: _, ...snapshot } = task;
    return [
      {
        ...snapshot,
        state: remaining === 0 ? 'ready' : 'pending',
        remaining,
        failures: 0,
        error: null,
        errorCode: null,
        nextAttemptAt: remaining === 0 ? options.now : null,
        forgetsOperation: true,
        // Only the system that is erased again uses new keys; the others are just read once more.
        ...(task.system === system ? { generation: task.generation + 1, reportsFrom: options.now } : {}),
        forgetsEvidence: task.kind === 'verify',
      },
    ];
  });
  const reopened = again.filter((task) => isEndedTask(task.state)).length;
  const unblocked = again.filter((task) => task.state === 'blocked').length;
  return change(
    withState({
      ...request,
      openTasks: request.openTasks + reopened,
      blockedTasks: request.blockedTasks - unblocked,
    }),
    options.facts,
    {
      tasks,
      due: tasks.filter((task) => task.state === 'ready').map((task) => dueAt(task, options.now)),
    },
  );
}
