import type { RequestSnapshot, TaskSnapshot } from '../../src/requests/snapshot.ts';
import type { step } from '../../src/requests/step.ts';
import { RequestModel } from '../request-model.ts';
import type { ExploredPlan } from './plans.ts';

/** What a worker has in hand. */
export interface InHand {
  readonly task: string;
  readonly attempt: number;
  readonly generation: number;
  /** What the system said when it was asked; undefined until then. */
  readonly answer: 'done' | 'found' | 'taken' | 'failed' | 'many' | undefined;
}

/** What the system does, or did, under one idempotency key. Tickets have none: a team works without one. */
export interface Operation {
  readonly task: string;
  readonly generation: number;
  readonly state: 'running' | 'done' | 'failed';
  /** When it ended, in {@link timeOf}. */
  readonly at: number;
}

/** Everything that the future depends on. */
export interface World {
  readonly request: RequestSnapshot;
  readonly tasks: readonly TaskSnapshot[];
  readonly workers: readonly (InHand | null)[];
  readonly operations: readonly Operation[];
  /** Whether the system says what it has to: the person is gone, the value right, the mark there. Always, of what only reads. */
  readonly holds: boolean;
  readonly paused: boolean;
  /** What may still go wrong, or be decided by a person. */
  readonly faults: number;
}

export interface Rules {
  readonly plan: ExploredPlan;
  readonly workers: number;
  readonly faults: number;
  /** The state machine; another one shows that what is wrong is found. (Default: the real one) */
  readonly step?: typeof step;
}

export function beginning({ plan, workers, faults }: Rules): World {
  const model = new RequestModel(plan.tasks, !plan.changes);
  return {
    request: model.request,
    tasks: [...model.tasks.values()],
    workers: Array.from({ length: workers }, () => null),
    operations: [],
    holds: !plan.changes,
    paused: false,
    faults,
  };
}

/**
 * The world with attempts counted anew, in the same order. The state machine only compares them and adds one, so what can happen is
 * the same; and a system that is asked after again and again leads to no new state.
 */
export function withCountedAttempts(world: World): World {
  const renumber = new Map<string, ReadonlyMap<number, number>>();
  for (const { key, attempt } of world.tasks) {
    const stale = world.workers.flatMap((one) => (one?.task === key ? [one.attempt] : []));
    const known = [...new Set([...stale, attempt])].sort((a, b) => a - b);
    // From the second attempt on there was one before all of these, whose answer may still come.
    const first = attempt > known.length ? 2 : 1;
    const same = known.every((old, index) => old === index + first);
    if (attempt > 0 && !same) renumber.set(key, new Map(known.map((old, index) => [old, index + first])));
  }
  if (renumber.size === 0) return world;
  const counted = (key: string, attempt: number) => renumber.get(key)?.get(attempt) ?? attempt;
  return {
    ...world,
    tasks: world.tasks.map((task) => {
      const attempt = counted(task.key, task.attempt);
      return attempt === task.attempt ? task : { ...task, attempt };
    }),
    workers: world.workers.map((one) => one && { ...one, attempt: counted(one.task, one.attempt) }),
  };
}

/** The same for worlds with the same future. Workers are alike. */
export function keyOf(world: World): string {
  const { request, tasks, workers, operations, holds, paused, faults } = world;
  const inHand = workers.map((one) => JSON.stringify(one)).sort();
  const short = tasks.map((task) => [
    task.state,
    task.remaining,
    task.attempt,
    task.failures,
    task.errorCode,
    task.generation,
    task.reportsFrom?.getTime(),
  ]);
  // Who approved it matters while it is asked, and where it may be asked once more.
  const asked = [request.state, request.heldFrom].includes('approving');
  const approval = asked || tasks.some(({ kind }) => kind === 'approval') ? request.approval : null;
  return JSON.stringify([{ ...request, approval }, short, inHand, operations, holds, paused, faults]);
}

export function taskOf(world: World, key: string): TaskSnapshot {
  const task = world.tasks.find((one) => one.key === key);
  if (task === undefined) throw new Error(`the plan has no task ${key}`);
  return task;
}

/** Passes by one whenever something is done anew, which is all that reports without the name of an operation are told apart by. */
export function timeOf(world: World): number {
  return world.tasks.reduce((sum, { generation }) => sum + generation, 0);
}

const START = Date.UTC(2026, 0, 1);

/** An instant: what ends at a time is before what is begun anew at it. */
export function instant(time: number, when: 'ends' | 'begins'): Date {
  return new Date(START + time * 2_000 + (when === 'begins' ? 1_000 : 0));
}
