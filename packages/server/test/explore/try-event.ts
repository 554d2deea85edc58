import type { Event } from '../../src/requests/event.ts';
import type { TaskSnapshot } from '../../src/requests/snapshot.ts';
import { RequestModel } from '../request-model.ts';
import { instant, type Rules, timeOf, type World } from './world.ts';

/** What an event made of a world; undefined where it was refused. */
export interface Tried {
  readonly world: World;
  /** What was written into the audit log with it. */
  readonly facts: readonly string[];
}

/** How often in a row a task may fail before a person is asked: few, so that it happens. */
const FAILURES = 2;

/** Gives the event to the state machine, with the clock of the world. */
export function tryEvent(rules: Rules, world: World, event: Event, task?: string): Tried | undefined {
  const model = RequestModel.at(rules.plan.tasks, { ...world, stepBy: rules.step });
  const now = instant(timeOf(world), 'begins');
  if (model.apply(event, task, { now, maxFailures: FAILURES }) === undefined) return undefined;
  const tasks = rules.plan.tasks.map(({ key }) => timeless(model.task(key)));
  return { world: { ...world, request: model.request, tasks }, facts: model.facts };
}

/** Waiting is over at once: when something is tried again changes nothing of what can happen. */
function timeless(task: TaskSnapshot): TaskSnapshot {
  return task.nextAttemptAt === null ? task : { ...task, nextAttemptAt: null };
}
