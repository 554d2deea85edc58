import type { api } from '@habeas/contract';
import { planApproval } from './plan-approval.ts';
import { planReadings } from './plan-readings.ts';
import {
  ERASED_GATE,
  type Gap,
  gate,
  IDENTITIES_GATE,
  KEYS_GATE,
  type PlannedTask,
  task,
} from './planned-task.ts';
import { type Asked, howToErase, type Reached } from './reach.ts';
import { NO_ORDER, type Order, sequenceOf } from './sequence.ts';

/** Finds all keys, erases, and reads each system again: right after its erasure, and once more when all are erased. */
export function planErasure(options: {
  readonly reached: readonly Reached[];
  readonly tasks: PlannedTask[];
  readonly dryRun: boolean;
  readonly order: Order;
  readonly asked: Pick<Asked, 'rules'>;
  readonly procedure: api.ProcedureView | undefined;
  readonly gaps: Gap[];
}): void {
  const { reached, tasks, dryRun } = options;
  const sequence = sequenceOf(dryRun ? NO_ORDER : options.order, { reached, lastOf, gaps: options.gaps });
  const acted = reached.filter(({ way }) => way === 'act').map(({ system }) => system);
  const located = acted
    .filter((system) => system.capabilities.has('locate'))
    .map((system) =>
      task(
        'locate',
        system,
        [IDENTITIES_GATE],
        `Find the exact keys of the person's data in ${system.key} and store them, encrypted.`,
      ),
    );
  const approval = planApproval({ ...options, located });
  tasks.push(
    ...located,
    ...approval,
    gate(
      KEYS_GATE,
      [IDENTITIES_GATE, ...[...located, ...approval].map((found) => found.key)],
      'Every key is stored before anything is destroyed.',
    ),
  );
  const erasing = reached.map(({ system, way }): PlannedTask => {
    if (way === 'ticket') {
      const does = dryRun ? 'count' : 'erase';
      const how = howToErase(system, options.asked.rules);
      const asks = task(
        'ticket',
        system,
        [KEYS_GATE, ...sequence.before(system.key)],
        `Ask team ${system.team} to ${does} what ${system.key} holds of the person${how === undefined ? '' : `, with ${how}`}.`,
      );
      return how === undefined ? asks : { ...asks, how };
    }
    return task(
      'erase',
      system,
      [
        KEYS_GATE,
        ...(system.capabilities.has('locate') ? [`locate:${system.key}`] : []),
        ...sequence.before(system.key),
      ],
      dryRun
        ? `Count what would be erased in ${system.key}; change nothing.`
        : `Erase the person's data in ${system.key}.`,
    );
  });
  tasks.push(...sequence.gates, ...erasing);
  if (dryRun) return;
  tasks.push(
    ...planReadings({
      systems: acted.filter((system) => system.capabilities.has('verify')),
      acting: (system) => `erase:${system.key}`,
      allActing: erasing.map(({ key }) => key),
      gate: {
        key: ERASED_GATE,
        explanation: 'Everything is erased before each system is read for the last time.',
      },
      first: (system) =>
        `Read ${system.key} again; the request is not completed while anything is still readable.`,
      last: (system) =>
        `Read ${system.key} once more: until every system was erased, another one could bring the person back.`,
    }),
  );
}

/** The task after which a system is surely done: where it can be read again, that it was. */
function lastOf({ system, way }: Reached): string {
  if (way === 'ticket') return `ticket:${system.key}`;
  return system.capabilities.has('verify') ? `verify:${system.key}` : `erase:${system.key}`;
}
