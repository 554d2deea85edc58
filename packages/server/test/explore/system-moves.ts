import type { Event } from '../../src/requests/event.ts';
import type { Attempt, Move } from './move.ts';
import { instant, type Operation, type Rules, timeOf, type World } from './world.ts';

/** Systems end what they took, say so by events, and may undo what was done; lost work is found. */
export function systemMoves(rules: Rules, world: World): readonly (Attempt | Move)[] {
  const faults = world.faults - 1;
  const found: (Attempt | Move)[] = [];
  for (const operation of world.operations) {
    if (operation.state !== 'running') continue;
    const { task } = operation;
    const ended = (state: Operation['state']) =>
      world.operations.map((one) => (one === operation ? { ...one, state, at: timeOf(world) } : one));
    found.push({ by: `${task} ends`, next: { ...world, operations: ended('done'), holds: true } });
    if (world.faults > 0)
      found.push({ by: `${task} fails`, next: { ...world, faults, operations: ended('failed') } });
  }
  for (const { by, task, event } of reports(world)) found.push({ by, task, event, onlyIfTaken: true });
  for (const { key, kind, state, attempt } of world.tasks) {
    const inHand = world.workers.some((one) => one?.task === key && one.attempt === attempt);
    if (state === 'running' && !inHand)
      found.push({
        by: `${key} is found lost`,
        event: { type: 'task-lost', attempt, died: true },
        task: key,
      });
    if (state === 'waiting' && kind !== 'ticket' && kind !== 'approval')
      found.push({ by: `${key} calls back`, event: { type: 'task-due' }, task: key });
    // Until then the team's system may bring back what was changed in the other one.
    if (kind === 'ticket' && state === 'waiting' && rules.plan.changes && world.holds && world.faults > 0)
      found.push({ by: 'the team undoes it', next: { ...world, faults, holds: false } });
  }
  return found;
}

interface Report {
  readonly by: string;
  readonly task: string;
  readonly event: Extract<Event, { readonly type: 'task-reported' }>;
}

/**
 * What systems said so far. Each may come at any time from then on, in any order, again and again, or never; with the name of the
 * operation, as systems do that were told it, or without.
 */
export function reports(world: World): readonly Report[] {
  const ended = world.operations.filter(({ state }) => state !== 'running');
  return ended.flatMap(({ task, generation, state, at }) => {
    const status = state === 'done' ? 'completed' : 'failed';
    return [generation, null].map((named) => ({
      by: `an event says that ${task}.${named ?? '?'} ${status}`,
      task,
      event: { type: 'task-reported', status, at: instant(at, 'ends'), generation: named },
    }));
  });
}

/** Those of them that are about what is done anew since: they change nothing. */
export function lateReports(world: World): readonly Report[] {
  return reports(world).filter(({ task, event }) => {
    const current = world.tasks.find(({ key }) => key === task);
    if (current === undefined) return false;
    if (event.generation !== null) return event.generation < current.generation;
    return current.reportsFrom !== null && event.at < current.reportsFrom;
  });
}
