import { HabeasError } from '../foundation/index.ts';
import type { Step } from './change.ts';
import type { TaskSnapshot } from './snapshot.ts';
import { step } from './step.ts';
import type { StepContext } from './step-task.ts';

/** A step, and after it the event of a gate that it opened, in one. `others`: what depends on the gate, as it was before the step. */
export function passGate(
  made: Step,
  at: { readonly gate: string; readonly others: readonly TaskSnapshot[]; readonly context: StepContext },
): Step {
  const changed = new Map(made.tasks.map((task) => [task.id, task]));
  const passed = step(
    {
      request: made.request,
      task: changed.get(at.gate),
      others: at.others.map((task) => changed.get(task.id) ?? task),
    },
    { type: 'gate-opened' },
    at.context,
  );
  if ('refused' in passed) throw new HabeasError('INTERNAL', 'A gate did not open.');
  for (const task of passed.tasks) changed.set(task.id, { ...changed.get(task.id), ...task });
  return {
    ...made,
    ...passed,
    tasks: [...changed.values()],
    due: [...made.due, ...passed.due],
    gates: [...made.gates, ...passed.gates],
    facts: [...made.facts, ...passed.facts],
  };
}
