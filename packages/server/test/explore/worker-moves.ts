import type { Event } from '../../src/requests/event.ts';
import type { Attempt, Move } from './move.ts';
import { type InHand, type Operation, type Rules, taskOf, timeOf, type World } from './world.ts';

/** Workers claim, ask, answer, crash, lose replies, are stopped, or are believed dead and go on. */
export function workerMoves(rules: Rules, world: World): readonly (Attempt | Move)[] {
  return world.workers.flatMap((inHand, index) => {
    const put = (next: InHand | null) => world.workers.map((old, at) => (at === index ? next : old));
    const who = `worker ${index}`;
    if (inHand !== null) return goOn(rules, world, { inHand, put, who });
    // Workers are alike: what one that is idle can do, the next idle one can do too.
    if (world.workers.indexOf(null) !== index || world.paused) return [];
    return world.tasks
      .filter(({ kind, state }) => kind !== 'ticket' && (state === 'ready' || state === 'waiting'))
      .map(({ key, attempt, generation }) => ({
        by: `${who} claims ${key}`,
        event: { type: 'task-claimed' } as const,
        task: key,
        after: { workers: put({ task: key, attempt: attempt + 1, generation, answer: undefined }) },
        onlyIfTaken: true,
      }));
  });
}

interface Working {
  readonly inHand: InHand;
  readonly put: (next: InHand | null) => World['workers'];
  readonly who: string;
}

function goOn(rules: Rules, world: World, { inHand, put, who }: Working): readonly (Attempt | Move)[] {
  const { task, attempt, answer } = inHand;
  const found: (Attempt | Move)[] = [];
  if (answer === undefined)
    for (const { by, after, said } of doWork(rules, world, inHand))
      found.push({
        by: `${who}: ${by}`,
        next: { ...world, ...after, workers: put({ ...inHand, answer: said }) },
      });
  else
    found.push({
      by: `${who} answers ${task}: ${answer}`,
      event: answered(attempt, answer),
      task,
      after: { workers: put(null) },
    });
  if (world.faults === 0) return found;
  const faults = world.faults - 1;
  found.push({ by: `${who} crashes`, next: { ...world, faults, workers: put(null) } });
  found.push({
    by: `${who} gets no reply of ${task}`,
    event: failed(attempt),
    task,
    after: { faults, workers: put(null) },
  });
  found.push({
    by: `${who} is stopped with ${task}`,
    event: { type: 'task-lost', attempt, died: false },
    task,
    after: { faults, workers: put(null) },
  });
  found.push({
    by: `${who} is believed dead with ${task}`,
    event: { type: 'task-lost', attempt, died: true },
    task,
    after: { faults },
    onlyIfTaken: true,
  });
  return found;
}

interface Done {
  readonly by: string;
  readonly after: Partial<World>;
  readonly said: NonNullable<InHand['answer']>;
}

/** The system is asked: under a key that it knows it says how that goes and does nothing more; another one it begins. */
function doWork({ plan }: Rules, world: World, inHand: InHand): readonly Done[] {
  const { task, generation } = inHand;
  if (taskOf(world, task).kind === 'verify')
    return [{ by: `${task} is read`, after: {}, said: world.holds ? 'done' : 'found' }];
  if (taskOf(world, task).kind === 'approval')
    return [{ by: `${task} counts many rows`, after: {}, said: 'many' }];
  if (task !== plan.acts) return [{ by: `${task} is done`, after: {}, said: 'done' }];
  const known = world.operations.find((one) => one.task === task && one.generation === generation);
  if (known !== undefined) {
    const said = known.state === 'running' ? 'taken' : known.state;
    return [{ by: `${task} is asked after`, after: {}, said }];
  }
  const begun = (state: Operation['state']): readonly Operation[] => [
    ...world.operations,
    { task, generation, state, at: timeOf(world) },
  ];
  return [
    { by: `${task} is done`, after: { operations: begun('done'), holds: true }, said: 'done' },
    { by: `${task} is taken`, after: { operations: begun('running') }, said: 'taken' },
  ];
}

function answered(attempt: number, answer: NonNullable<InHand['answer']>): Event {
  switch (answer) {
    case 'done':
      return { type: 'task-succeeded', attempt, matched: null };
    case 'taken':
      return { type: 'task-pending', attempt, retryAt: new Date(0), calledBackAt: null };
    case 'found':
      return error(attempt, 'STILL_READABLE');
    case 'failed':
      return error(attempt, 'SYSTEM_FAILED');
    case 'many':
      return { type: 'approval-asked', attempt, rows: 2, above: 1 };
    default:
      return answer satisfies never;
  }
}

function error(attempt: number, code: string): Event {
  return { type: 'task-failed', attempt, error: { code, message: 'told by the system' }, retryable: false };
}

function failed(attempt: number): Event {
  const timeout = { code: 'SYSTEM_TIMEOUT', message: 'no answer' };
  return { type: 'task-failed', attempt, error: timeout, retryable: true };
}

/** Answers of attempts that were taken over: they may come at any time, any number of times, and change nothing. */
export function lateAnswers(world: World): readonly { readonly task: string; readonly event: Event }[] {
  return world.tasks.flatMap(({ key, kind, state, attempt }) => {
    if (kind === 'ticket' || kind === 'gate') return [];
    // The answer of the newest attempt comes a second time when the task does not run any more.
    const newest = state === 'running' ? attempt - 1 : attempt;
    return Array.from({ length: newest }, (_, index) => index + 1).flatMap((stale) => [
      ...(['done', 'taken', 'found', 'failed', 'many'] as const).map((said) => ({
        task: key,
        event: answered(stale, said),
      })),
      { task: key, event: failed(stale) },
      { task: key, event: { type: 'task-lost', attempt: stale, died: true } as const },
    ]);
  });
}
