import type { Move } from './move.ts';
import { personMoves } from './person-moves.ts';
import { systemMoves } from './system-moves.ts';
import { type Tried, tryEvent } from './try-event.ts';
import { workerMoves } from './worker-moves.ts';
import { type Rules, type World, withCountedAttempts } from './world.ts';

/** Everything that may happen next. */
export function moves(rules: Rules, world: World): readonly Move[] {
  const attempts = [...workerMoves(rules, world), ...personMoves(world), ...systemMoves(rules, world)];
  return attempts.flatMap((attempt): readonly Move[] => {
    if ('next' in attempt) return [{ ...attempt, next: withCountedAttempts(attempt.next) }];
    const tried = tryEvent(rules, world, attempt.event, attempt.task);
    if (tried === undefined && attempt.onlyIfTaken === true) return [];
    const next = withCountedAttempts({ ...(tried?.world ?? world), ...attempt.after });
    const wrong = tried === undefined ? undefined : wrongOf(world, tried);
    return [{ by: attempt.by, next, ...(wrong === undefined ? {} : { wrong }) }];
  });
}

/** What no event may do, whichever it is. */
function wrongOf(before: World, tried: Tried): string | undefined {
  if (tried.facts.length === 0) return 'changed without an audit entry';
  const { request, tasks } = tried.world;
  const held = before.request.state === 'held' && request.state === 'held';
  for (const [index, task] of tasks.entries()) {
    const was = before.tasks[index]?.state;
    if (task.state === was) continue;
    if (held && task.state === 'running') return `${task.key} was begun while the request is held`;
    if (held && task.kind === 'ticket' && task.state === 'waiting' && was !== 'blocked')
      return `${task.key} was opened while the request is held`;
    if (task.state === 'running' && before.paused) return `${task.key} was begun while work is paused`;
  }
  return undefined;
}
