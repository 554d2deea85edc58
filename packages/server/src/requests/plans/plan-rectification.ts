import type { api } from '@habeas/contract';
import type { PlannableSystem } from '../../connectors/index.ts';
import { planApproval } from './plan-approval.ts';
import { planReadings } from './plan-readings.ts';
import {
  CHANGED_GATE,
  type Gap,
  gate,
  IDENTITIES_GATE,
  KEYS_GATE,
  type PlannedTask,
  task,
  VALIDATED_GATE,
} from './planned-task.ts';
import type { Reached } from './reach.ts';

/** Finds all rows, tries the new values in every system, and only when they fit everywhere changes them and reads them again. */
export function planRectification(options: {
  readonly reached: readonly Reached[];
  readonly tasks: PlannedTask[];
  readonly dryRun: boolean;
  readonly procedure: api.ProcedureView | undefined;
  readonly gaps: Gap[];
}): void {
  const { reached, tasks, dryRun } = options;
  const acted = reached.filter(({ way }) => way === 'act' || way === 'both').map(({ system }) => system);
  const byHand = reached.filter(({ way }) => way === 'ticket' || way === 'both').map(({ system }) => system);
  const hasKeys = (system: PlannableSystem) => system.capabilities.has('locate');
  const located = acted
    .filter(hasKeys)
    .map((system) =>
      task(
        'locate',
        system,
        [IDENTITIES_GATE],
        `Find the exact keys of the rows in ${system.key} whose values are wrong and store them, encrypted.`,
      ),
    );
  const approval = planApproval({ ...options, located });
  tasks.push(
    ...located,
    ...approval,
    gate(
      KEYS_GATE,
      [IDENTITIES_GATE, ...[...located, ...approval].map(({ key }) => key)],
      'Every key is stored before anything is changed: the person may be found by a value that changes.',
    ),
  );
  const validating = acted.map((system) =>
    task(
      'validate',
      system,
      hasKeys(system) ? [KEYS_GATE, `locate:${system.key}`] : [KEYS_GATE],
      `Try the new values in ${system.key} against its types and rules, and count what they would change; change nothing.`,
    ),
  );
  tasks.push(...validating);
  const tickets = (after: string) =>
    byHand.map((system) =>
      task(
        'ticket',
        system,
        [after],
        `Ask team ${system.team} to ${dryRun ? 'count' : 'correct'} what ${system.key} holds of the person that is wrong.`,
      ),
    );
  if (dryRun) {
    tasks.push(...tickets(KEYS_GATE));
    return;
  }
  tasks.push(
    gate(
      VALIDATED_GATE,
      [KEYS_GATE, ...validating.map(({ key }) => key)],
      'The new values fit everywhere before anything is changed anywhere.',
    ),
  );
  const changing = [
    ...acted.map((system) =>
      task(
        'rectify',
        system,
        [VALIDATED_GATE, `validate:${system.key}`],
        `Put the new values in place of the wrong ones in ${system.key}, wherever it keeps a copy.`,
      ),
    ),
    ...tickets(VALIDATED_GATE),
  ];
  tasks.push(
    ...changing,
    ...planReadings({
      systems: acted,
      acting: (system) => `rectify:${system.key}`,
      allActing: changing.map(({ key }) => key),
      gate: {
        key: CHANGED_GATE,
        explanation: 'Everything is corrected before each system is read for the last time.',
      },
      first: (system) =>
        `Read ${system.key} again; the request is not completed while a wrong value is still there.`,
      last: (system) =>
        `Read ${system.key} once more: until every system was corrected, another one could bring the wrong value back.`,
    }),
  );
}
