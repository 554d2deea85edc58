import type { Database } from '../foundation/index.ts';
import type { Step } from './change.ts';
import { loadDependents } from './neighbourhood.ts';
import { passGate } from './pass-gate.ts';
import type { StepToSave } from './save-steps.ts';
import type { StepContext } from './step-task.ts';

/**
 * Steps with what the gates unlock that they opened: the same as if the event of each gate had come next, without a transaction for each,
 * or a second look at what is known. A gate may open the next one.
 */
export async function openGates(
  transaction: Database,
  steps: readonly StepToSave[],
  context: StepContext,
): Promise<readonly StepToSave[]> {
  let made = steps;
  for (;;) {
    const gates = made.flatMap(({ target, step }) =>
      step.gates.map((gate) => [target.organizationId, gate] as const),
    );
    if (gates.length === 0) return made;
    const dependents = await loadDependents(transaction, gates);
    made = made.map((saved) => ({
      ...saved,
      step: saved.step.gates.reduce<Step>(
        (before, gate) =>
          passGate(before, {
            gate,
            others: dependents.get(`${saved.target.organizationId}/${gate}`) ?? [],
            context,
          }),
        { ...saved.step, gates: [] },
      ),
    }));
  }
}
