import type { PlannableSystem } from '../../connectors/index.ts';
import { gate, type PlannedTask, task } from './planned-task.ts';

export interface ReadingsOptions {
  /** Systems that can be read again. */
  readonly systems: readonly PlannableSystem[];
  /** Key of the task that acts on a system. */
  readonly acting: (system: PlannableSystem) => string;
  /** Keys of all tasks that act, tickets too. */
  readonly allActing: readonly string[];
  /** The gate behind which nothing more is done, and why it is there. */
  readonly gate: { readonly key: string; readonly explanation: string };
  readonly first: (system: PlannableSystem) => string;
  readonly last: (system: PlannableSystem) => string;
}

/** Each system is read right after it was acted on, and once more when all were: until then another one could undo it. */
export function planReadings(options: ReadingsOptions): readonly PlannedTask[] {
  const { systems, allActing } = options;
  const first = systems.map((system) =>
    task('verify', system, [options.acting(system)], options.first(system)),
  );
  // With one system alone, nobody else could undo it.
  if (allActing.length === 1 || systems.length === 0) return first;
  return [
    ...first,
    gate(options.gate.key, allActing, options.gate.explanation),
    ...systems.map((system) => ({
      ...task('verify', system, [`verify:${system.key}`, options.gate.key], options.last(system)),
      key: `confirm:${system.key}`,
    })),
  ];
}
