import type { Database } from '../foundation/index.ts';
import type { Step } from './change.ts';
import { loadDependents } from './neighbourhood.ts';
import { passGate } from './pass-gate.ts';
import type { StepToSave } from './save-steps.ts';
import type { StepContext } from './step-task.ts';

/**
 * Steps with what the gates unlock that they opened: the same as if the event of each gate had come next, without a transaction for each,
 * or a second look at what is known. A gate may open the next one, of which is read then what depends on it.
 */
export async function openGates(
  transaction: Database,
  steps: readonly StepToSave[],
  context: StepContext,
): Promise<readonly StepToSave[]> {
  let made = steps;
  for (;;) {
    const opened = made.flatMap(({ target, before, step }) =>
      step.gates.map((gate) => ({ target, gate, others: before.behindGates?.get(nameOf(target, gate)) })),
    );
    if (opened.length === 0) return made;
    const read = await loadDependents(
      transaction,
      opened.flatMap(({ target, gate, others }) =>
        others === undefined ? [[target.organizationId, gate] as const] : [],
      ),
    );
    const known = new Map(
      opened.map(({ target, gate, others }) => {
        const name = nameOf(target, gate);
        return [name, others ?? read.get(name) ?? []];
      }),
    );
    made = made.map((saved) => ({
      ...saved,
      step: saved.step.gates.reduce<Step>(
        (before, gate) =>
          passGate(before, { gate, others: known.get(nameOf(saved.target, gate)) ?? [], context }),
        { ...saved.step, gates: [] },
      ),
    }));
  }
}

function nameOf({ organizationId }: StepToSave['target'], gate: string): string {
  return `${organizationId}/${gate}`;
}
