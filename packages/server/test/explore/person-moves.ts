import type { Event } from '../../src/requests/event.ts';
import { isEnded, isEndedTask, type TaskSnapshot } from '../../src/requests/snapshot.ts';
import type { Attempt, Move } from './move.ts';
import { instant, timeOf, type World } from './world.ts';

const reason = 'r';
const HOLD = 'hold_1';

/** People ask, prove, approve, reject, cancel, hold, pause, retry, skip, and close tickets. */
export function personMoves(world: World): readonly (Attempt | Move)[] {
  const { request } = world;
  const found: (Attempt | Move)[] = [];
  const decide = (by: string, event: Event, after: Partial<World> = {}): void => {
    found.push({ by, event, after, onlyIfTaken: true });
  };
  if (!isEnded(request.state)) found.push(...pauses(world));
  decide('they are asked for a proof', { type: 'verification-asked' });
  decide('they prove it', { type: 'verified', by: 'codes', reason: null });
  decide('they prove nothing in time', { type: 'expired' });
  decide('they have asked already', { type: 'merged', into: 'req_0' });
  if (request.state === 'received') for (const { by, event } of plans(world)) decide(by, event);
  const fourEyes = world.tasks.some(({ kind }) => kind === 'approval');
  for (const by of fourEyes ? ['ada', 'ben'] : ['ada']) decide(`${by} approves`, { type: 'approved', by });
  decide('an officer rejects', { type: 'rejected', reason });
  decide('the wait is over', { type: 'wait-over' });
  decide('the hold is released', { type: 'released' });
  decide('the legal hold is lifted', { type: 'legal-hold-lifted', hold: HOLD });
  // What a person may do again and again is counted, so that there is an end of it.
  if (world.faults > 0) {
    const after = { faults: world.faults - 1 };
    decide('a person cancels', { type: 'cancelled', reason }, after);
    decide('a person holds it', { type: 'held', reason }, after);
    decide('a legal hold covers it', { type: 'legal-hold-placed', hold: HOLD }, after);
  }
  for (const task of world.tasks) found.push(...taskMoves(world, task));
  return found;
}

function pauses(world: World): readonly Move[] {
  if (world.paused) return [{ by: 'work is resumed', next: { ...world, paused: false } }];
  if (world.faults === 0) return [];
  return [{ by: 'work is paused', next: { ...world, paused: true, faults: world.faults - 1 } }];
}

/** The ways in which a policy lets a request begin. */
function plans(world: World): readonly { readonly by: string; readonly event: Event }[] {
  const later = instant(timeOf(world) + 1_000, 'begins');
  const planned = { type: 'planned', tasks: world.tasks.length, approval: false, waitsUntil: null } as const;
  const changes = world.request.changesSystems;
  return [
    { by: 'it is planned', event: planned },
    { by: 'it is planned to be approved', event: { ...planned, approval: true } },
    { by: 'it is planned to wait', event: { ...planned, waitsUntil: later } },
    ...(changes
      ? [{ by: 'it is planned under a legal hold', event: { ...planned, legalHolds: [HOLD] } as const }]
      : []),
  ];
}

function taskMoves(world: World, { key, kind, state, attempt, errorCode }: TaskSnapshot): readonly Attempt[] {
  const found: Attempt[] = [];
  const after = { faults: world.faults - 1 };
  const onlyIfTaken = true;
  const skip: Attempt = {
    by: `a person skips ${key}`,
    event: { type: 'task-skipped', reason },
    task: key,
    onlyIfTaken,
  };
  // Who left out the change has to leave out the reading that does not find it, too.
  const owed = state === 'blocked' && world.tasks.some((other) => other.state === 'skipped');
  if (owed) found.push(skip);
  if (state === 'blocked') {
    const event = { type: 'task-retried', anew: errorCode === 'SYSTEM_FAILED' } as const;
    found.push({ by: `a person retries ${key}`, event, task: key, onlyIfTaken });
  }
  if (!owed && world.faults > 0 && kind !== 'gate' && !isEndedTask(state)) found.push({ ...skip, after });
  if (kind !== 'ticket' || state === 'pending' || isEndedTask(state)) return found;
  found.push({
    by: `the team closes ${key}`,
    event: { type: 'task-succeeded', attempt, matched: null },
    task: key,
    onlyIfTaken,
  });
  const says = (status: 'completed' | 'failed') =>
    ({ type: 'task-reported', status, at: instant(timeOf(world), 'begins'), generation: null }) as const;
  found.push({ by: `an event says that ${key} completed`, event: says('completed'), task: key, onlyIfTaken });
  if (world.faults > 0)
    found.push({
      by: `an event says that ${key} failed`,
      event: says('failed'),
      task: key,
      after,
      onlyIfTaken,
    });
  return found;
}
