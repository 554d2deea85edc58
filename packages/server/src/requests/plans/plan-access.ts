import { IDENTITIES_GATE, type PlannedTask, task } from './planned-task.ts';
import type { Asked, Reached } from './reach.ts';

/** Reads every system, then puts together what they hold. */
export function planAccess({
  reached,
  tasks,
  dryRun,
  asked: { right },
}: {
  readonly reached: readonly Reached[];
  readonly tasks: PlannedTask[];
  readonly dryRun: boolean;
  readonly asked: Pick<Asked, 'right'>;
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
              : right === 'access'
                ? `Read everything that ${system.key} holds of the person.`
                : `Read what the person provided to ${system.key}, and what was observed of them there.`,
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
