import { IDENTITIES_GATE, type PlannedTask, task } from './planned-task.ts';
import type { Reached } from './reach.ts';

/** Reads every system, then puts together what they hold. */
export function planAccess({
  reached,
  tasks,
  dryRun,
}: {
  readonly reached: readonly Reached[];
  readonly tasks: PlannedTask[];
  readonly dryRun: boolean;
}): void {
  const sources = reached.map(
    ({ system, way }): PlannedTask =>
      way === 'act'
        ? task(
            'collect',
            system,
            [IDENTITIES_GATE],
            dryRun
              ? `Count what ${system.key} holds of the person.`
              : `Read everything that ${system.key} holds of the person.`,
          )
        : task(
            'ticket',
            system,
            [IDENTITIES_GATE],
            `Ask team ${system.team} to ${dryRun ? 'count' : 'hand over'} what ${system.key} holds of the person.`,
          ),
  );
  tasks.push(...sources);
  if (dryRun) return;
  tasks.push({
    key: 'package',
    kind: 'package',
    system: null,
    team: null,
    depends_on: [IDENTITIES_GATE, ...sources.map((source) => source.key)],
    explanation:
      'Put everything into one encrypted package with a page that a person can read, and a manifest.',
  });
}
