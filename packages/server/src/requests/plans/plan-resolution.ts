import type { ResolverRounds } from '../resolver-rounds.ts';
import { gate, IDENTITIES_GATE, type PlannedTask } from './planned-task.ts';

/** Rounds of questions, and the gate that all identities are stored behind. */
export function planResolution({ rounds }: ResolverRounds): PlannedTask[] {
  const tasks: PlannedTask[] = [];
  let after: readonly string[] = [];
  for (const [index, round] of rounds.entries()) {
    const asked = round.map(({ system, again }): PlannedTask => {
      const what = system.resolves.join(', ') || 'it did not say which';
      return {
        key: `${again ? 'resolve-again' : 'resolve'}:${system.key}`,
        kind: 'resolve',
        system: system.key,
        team: system.team,
        depends_on: [...after],
        explanation: again
          ? `Ask ${system.key} once more, if others told something since that it can use.`
          : `Ask ${system.key} for more identities of the person (${what}), so that other systems can find them.`,
      };
    });
    tasks.push(...asked);
    const keys = asked.map((task) => task.key);
    if (index === rounds.length - 1) after = keys;
    else {
      const key = `gate:resolved-${index + 1}`;
      tasks.push(gate(key, keys, 'What these systems told is stored before others are asked with it.'));
      after = [key];
    }
  }
  const explanation =
    'Every identity is stored before anything else happens; a retry never needs to ask again.';
  tasks.push(gate(IDENTITIES_GATE, after, explanation));
  return tasks;
}
