import type { Event } from '../src/requests/event.ts';
import { isEnded, type RequestSnapshot, type TaskSnapshot } from '../src/requests/snapshot.ts';
import { type ModelTask, RequestModel } from './request-model.ts';

/** Located, erased and read for the last time, beside a team that may bring the person back until its ticket is closed. */
export const FOUR_TASKS: readonly ModelTask[] = [
  { key: 'locate:a', kind: 'locate', dependsOn: [] },
  { key: 'gate:keys', kind: 'gate', dependsOn: ['locate:a'] },
  { key: 'erase:a', kind: 'erase', dependsOn: ['gate:keys'] },
  { key: 'ticket:b', kind: 'ticket', dependsOn: ['gate:keys'] },
  { key: 'gate:erased', kind: 'gate', dependsOn: ['erase:a', 'ticket:b'] },
  { key: 'confirm:a', kind: 'verify', dependsOn: ['gate:erased'] },
];

/** What a worker has in hand. */
interface InHand {
  readonly task: string;
  readonly attempt: number;
  readonly generation: number;
  /** What the system did when it was asked; undefined until then. */
  readonly answer: 'done' | 'found' | undefined;
}

/** An answer that was given and may come again, at any time. */
interface Answer extends Pick<InHand, 'task' | 'attempt'> {
  readonly found: boolean;
}

/** Everything that the future depends on. */
interface World {
  readonly request: RequestSnapshot;
  readonly tasks: readonly TaskSnapshot[];
  readonly workers: readonly (InHand | null)[];
  readonly answers: readonly Answer[];
  /** Whether the system still holds the person. */
  readonly present: boolean;
  /** Idempotency keys under which the system erased. */
  readonly effects: readonly string[];
  /** What may still go wrong. */
  readonly faults: number;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** How many states each end of a request was reached in. */
  readonly ends: Readonly<Record<string, number>>;
  /** What must never be, with the events that led there. */
  readonly violations: readonly string[];
}

export interface ExploreOptions {
  readonly plan: readonly ModelTask[];
  readonly workers: number;
  /** How much may go wrong on one way: crashes, lost replies, workers that are believed dead, data that comes back. */
  readonly faults: number;
  /** Given up beyond this, as an error. */
  readonly mostStates: number;
}

const NOW = new Date('2026-01-01T00:00:00Z');

/**
 * Visits every state that a request can be in, by every order of what workers, systems, people and failures do: claims, effects,
 * answers in time, late, twice or never, replies that are lost after the effect, workers that crash or are believed dead and go on,
 * data that comes back, a cancellation at any moment. In each state what must always hold is checked, and from each state the
 * request must still be able to end.
 */
export function exploreRequest(options: ExploreOptions): Explored {
  const first = beginning(options);
  const ids = new Map<string, number>([[keyOf(first), 0]]);
  const worlds: World[] = [first];
  const came: { readonly from: number; readonly by: string }[] = [{ from: -1, by: 'planned' }];
  const before: number[][] = [[]];
  const violations: string[] = [];
  let transitions = 0;
  const path = (id: number): string => {
    const steps: string[] = [];
    for (let at = id; at >= 0; at = came[at]?.from ?? -1) steps.push(came[at]?.by ?? '');
    return steps.reverse().join(' → ');
  };
  for (let id = 0; id < worlds.length; id += 1) {
    const world = worlds[id] as World;
    for (const { by, next } of moves(world, options.plan)) {
      transitions += 1;
      const key = keyOf(next);
      let known = ids.get(key);
      if (known === undefined) {
        known = worlds.length;
        if (known >= options.mostStates) throw new Error(`more than ${options.mostStates} states`);
        ids.set(key, known);
        worlds.push(next);
        came.push({ from: id, by });
        before.push([]);
        for (const wrong of wrongIn(next, options.plan)) violations.push(`${wrong}: ${path(known)}`);
      }
      before[known]?.push(id);
    }
  }
  const ends: Record<string, number> = {};
  const ended: number[] = [];
  for (const [id, { request }] of worlds.entries()) {
    if (!isEnded(request.state)) continue;
    ends[request.state] = (ends[request.state] ?? 0) + 1;
    ended.push(id);
  }
  for (const id of neverEnding(before, ended)) violations.push(`can never end: ${path(id)}`);
  return { states: worlds.length, transitions, ends, violations };
}

/** States from which no way leads to an end: all that a walk backwards from the ends does not reach. */
function neverEnding(before: readonly (readonly number[])[], ended: readonly number[]): readonly number[] {
  const reaches = new Set(ended);
  const queue = [...ended];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const earlier of before[id] ?? []) {
      if (reaches.has(earlier)) continue;
      reaches.add(earlier);
      queue.push(earlier);
    }
  }
  return before.map((_, id) => id).filter((id) => !reaches.has(id));
}

function beginning({ plan, workers, faults }: ExploreOptions): World {
  const model = new RequestModel(plan);
  model.apply({ type: 'planned', tasks: plan.length, approval: false, waitsUntil: null }, undefined, {
    now: NOW,
  });
  return {
    request: model.request,
    tasks: [...model.tasks.values()],
    workers: Array.from({ length: workers }, () => null),
    answers: [],
    present: true,
    effects: [],
    faults,
  };
}

interface Move {
  readonly by: string;
  readonly next: World;
}

function moves(world: World, plan: readonly ModelTask[]): Move[] {
  const found: Move[] = [];
  /** An event that the state machine takes; one that it refuses changes nothing and leads nowhere new. */
  const apply = (by: string, event: Event, key: string | undefined, after: Partial<World>): void => {
    const model = RequestModel.at(plan, world.request, world.tasks);
    const applied = model.apply(event, key, { now: NOW, maxFailures: 10 });
    const changed =
      applied === undefined ? {} : { request: model.request, tasks: [...model.tasks.values()].map(timeless) };
    found.push({ by, next: { ...world, ...changed, ...after } });
  };
  const claims = world.tasks.filter((task) => task.kind !== 'ticket' && task.state === 'ready');
  for (const [index, inHand] of world.workers.entries()) {
    const put = (next: InHand | null) => world.workers.map((old, at) => (at === index ? next : old));
    const who = `worker ${index}`;
    if (inHand === null) {
      // Workers are alike: what one that is idle can do, the next idle one can do too.
      if (world.workers.indexOf(null) !== index) continue;
      for (const task of claims) {
        const claimed = { task: task.key, attempt: task.attempt + 1, generation: task.generation };
        apply(`${who} claims ${task.key}`, { type: 'task-claimed' }, task.key, {
          workers: put({ ...claimed, answer: undefined }),
        });
      }
      continue;
    }
    const { task, attempt, answer } = inHand;
    if (answer === undefined) found.push({ by: `${who} does ${task}`, next: doWork(world, inHand, put) });
    else
      apply(`${who} answers ${task}`, answered(inHand), task, {
        workers: put(null),
        answers: remembered(world.answers, { task, attempt, found: answer === 'found' }),
      });
    if (world.faults === 0) continue;
    const faults = world.faults - 1;
    found.push({ by: `${who} crashes`, next: { ...world, faults, workers: put(null) } });
    apply(`${who} gets no reply from ${task}`, failed(attempt), task, { faults, workers: put(null) });
    apply(`${who} is believed dead with ${task}`, lost(attempt), task, { faults });
  }
  for (const task of world.tasks) {
    const { key, attempt } = task;
    const held = world.workers.some((inHand) => inHand?.task === key && inHand.attempt === attempt);
    // A worker that crashed is found out: nobody has its task.
    if (task.state === 'running' && !held) apply(`${key} is found lost`, lost(attempt), key, {});
    if (task.state === 'blocked')
      apply(`a person retries ${key}`, { type: 'task-retried', anew: false }, key, {});
    if (task.kind === 'ticket' && task.state === 'waiting') {
      apply(`the team closes ${key}`, { type: 'task-succeeded', attempt, matched: null }, key, {});
      // Until then the team's system may bring the person back into the other one.
      if (world.faults > 0 && !world.present)
        found.push({
          by: 'the data comes back',
          next: { ...world, faults: world.faults - 1, present: true },
        });
    }
  }
  for (const answer of world.answers)
    apply(`an answer of ${answer.task} comes again`, repeated(answer), answer.task, {});
  if (world.faults > 0)
    apply('a person cancels', { type: 'cancelled', reason: 'r' }, undefined, { faults: world.faults - 1 });
  return found;
}

/** The system is asked: under a key that it knows it answers the same and does nothing more. */
function doWork(world: World, inHand: InHand, put: (next: InHand) => readonly (InHand | null)[]): World {
  if (inHand.task.startsWith('confirm:'))
    return { ...world, workers: put({ ...inHand, answer: world.present ? 'found' : 'done' }) };
  const workers = put({ ...inHand, answer: 'done' });
  if (!inHand.task.startsWith('erase:')) return { ...world, workers };
  const key = `${inHand.task}.${inHand.generation}`;
  if (world.effects.includes(key)) return { ...world, workers };
  return { ...world, workers, present: false, effects: [...world.effects, key] };
}

function answered({ attempt, answer }: InHand): Event {
  return answer === 'found' ? stillReadable(attempt) : { type: 'task-succeeded', attempt, matched: null };
}

function repeated({ attempt, found }: Answer): Event {
  return found ? stillReadable(attempt) : { type: 'task-succeeded', attempt, matched: null };
}

function stillReadable(attempt: number): Event {
  const error = { code: 'STILL_READABLE', message: 'rows are left' };
  return { type: 'task-failed', attempt, error, retryable: false };
}

function failed(attempt: number): Event {
  const error = { code: 'SYSTEM_TIMEOUT', message: 'no answer' };
  return { type: 'task-failed', attempt, error, retryable: true };
}

function lost(attempt: number): Event {
  return { type: 'task-lost', attempt, died: true };
}

/** The newest answer of each task: older ones name attempts that are just as stale. */
function remembered(answers: readonly Answer[], answer: Answer): readonly Answer[] {
  return [...answers.filter(({ task }) => task !== answer.task), answer].sort((a, b) =>
    a.task < b.task ? -1 : 1,
  );
}

/** Waiting is over at once: when something is tried again changes nothing of what can happen. */
function timeless(task: TaskSnapshot): TaskSnapshot {
  return { ...task, nextAttemptAt: null };
}

function keyOf(world: World): string {
  const { request, tasks, workers, answers, present, effects, faults } = world;
  const inHand = workers.map((one) => JSON.stringify(one)).sort();
  return JSON.stringify([request, tasks, inHand, answers, present, effects, faults]);
}

/** What must hold in every state (docs/architecture.md); the text says what does not. */
function wrongIn(world: World, plan: readonly ModelTask[]): readonly string[] {
  const { request, tasks, present, effects } = world;
  const task = (key: string) => tasks.find((one) => one.key === key);
  const wrong = [...RequestModel.at(plan, request, tasks).wrongState()];
  if (request.state === 'completed' && present) wrong.push('completed while the data can be read');
  if (request.state === 'cancelled' && effects.length > 0) wrong.push('cancelled after something was erased');
  if (request.state === 'cancelled' && world.workers.some((one) => one?.task.startsWith('erase:') === true))
    wrong.push('cancelled while a worker erases');
  const located = task('locate:a');
  if (effects.length > 0 && located?.state !== 'succeeded' && (located?.generation ?? 1) === 1)
    wrong.push('erased before the keys were stored');
  const generations = task('erase:a')?.generation ?? 1;
  if (effects.length > generations)
    wrong.push(`erased under ${effects.length} keys instead of ${generations}`);
  return wrong;
}
