import type { PlannableSystem } from '../../connectors/index.ts';
import { RIGHTS } from '../rights.ts';
import { planReadings } from './plan-readings.ts';
import { CHANGED_GATE, gate, IDENTITIES_GATE, KEYS_GATE, type PlannedTask, task } from './planned-task.ts';
import type { Asked, Reached } from './reach.ts';

const REGISTER = 'register';

/**
 * Notes in Habeas' own register and in every system that can what the person's data may not be used for, or takes it back.
 *
 *     set   gate:identities ─▶ register ─▶ locate:* ─▶ gate:keys ─▶ restrict:* (object:*) , ticket:* ─▶ verify:* ─▶ confirm:*
 *     lift  the same, with the register last: who asks it is told "restricted" as long as any system still says so
 */
export function planFlag(options: {
  readonly reached: readonly Reached[];
  readonly tasks: PlannedTask[];
  readonly dryRun: boolean;
  readonly lift: boolean;
  readonly asked: Pick<Asked, 'right' | 'purposes'>;
}): void {
  const { reached, tasks, dryRun, lift, asked } = options;
  const kind = RIGHTS[asked.right].task;
  const mark = markOf(asked);
  const acted = reached.filter(({ way }) => way === 'act' || way === 'both').map(({ system }) => system);
  const byHand = reached.filter(({ way }) => way === 'ticket' || way === 'both').map(({ system }) => system);
  const register = (after: readonly string[]): PlannedTask => ({
    key: REGISTER,
    kind: 'register',
    system: null,
    team: null,
    depends_on: [...after],
    explanation: lift
      ? `Take ${mark} out of Habeas' register, where services ask.`
      : `Note ${mark} in Habeas' register, so that every service that asks is told at once.`,
  });
  const first = dryRun || lift ? IDENTITIES_GATE : REGISTER;
  if (first === REGISTER) tasks.push(register([IDENTITIES_GATE]));
  const located = acted
    .filter((system) => system.capabilities.has('locate'))
    .map((system) =>
      task(
        'locate',
        system,
        [first],
        `Find the exact keys of the rows in ${system.key} that carry the mark and store them, encrypted.`,
      ),
    );
  tasks.push(
    ...located,
    gate(
      KEYS_GATE,
      [first, ...located.map(({ key }) => key)],
      'Every key is stored before anything is changed.',
    ),
  );
  const changing = [
    ...acted.map((system) =>
      task(
        kind,
        system,
        system.capabilities.has('locate') ? [KEYS_GATE, `locate:${system.key}`] : [KEYS_GATE],
        dryRun
          ? `Count what would be marked in ${system.key}; change nothing.`
          : `${lift ? 'Take back' : 'Mark'} ${mark} in ${system.key}.`,
      ),
    ),
    ...byHand.map((system) => ticketFor(system, { dryRun, lift, mark })),
  ];
  tasks.push(...changing);
  if (dryRun) return;
  const readings = planReadings({
    systems: acted,
    acting: (system) => `${kind}:${system.key}`,
    allActing: changing.map(({ key }) => key),
    gate: {
      key: CHANGED_GATE,
      explanation: 'Every system is changed before each is read for the last time.',
    },
    first: (system) => `Read ${system.key} again: the mark has to be ${lift ? 'gone' : 'there'}.`,
    last: (system) =>
      `Read ${system.key} once more: until every system was changed, another one could undo it.`,
  });
  tasks.push(...readings);
  if (!lift) return;
  const waitsFor = [...changing, ...readings].filter((one) => one.kind !== 'gate').map(({ key }) => key);
  tasks.push(register([KEYS_GATE, ...waitsFor]));
}

function ticketFor(
  system: PlannableSystem,
  { dryRun, lift, mark }: { readonly dryRun: boolean; readonly lift: boolean; readonly mark: string },
): PlannedTask {
  const does = dryRun ? `count where ${mark} would apply` : `${lift ? 'take back' : 'carry out'} ${mark}`;
  return task('ticket', system, [KEYS_GATE], `Ask team ${system.team} to ${does} in ${system.key}.`);
}

/** What is noted about the person, in words. */
export function markOf({ right, purposes }: Pick<Asked, 'right' | 'purposes'>): string {
  switch (right) {
    case 'restriction':
      return 'the restriction of processing';
    case 'objection':
      return `the objection to ${purposes.join(', ')}`;
    case 'opt_out_of_sale':
      return 'the opt-out of sale and sharing';
    case 'limit_sensitive_data':
      return 'the limit on the use of sensitive data';
    default:
      return right;
  }
}
