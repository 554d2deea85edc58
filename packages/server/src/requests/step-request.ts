import {
  change,
  completion,
  dueAt,
  end,
  type Fact,
  type Refusal,
  type Step,
  start,
  ticketOpened,
  withState,
} from './change.ts';
import type { Neighbourhood, RequestEvent } from './event.ts';
import { isEnded, isStarted, type RequestSnapshot, type TaskSnapshot } from './snapshot.ts';

const UNSTARTED: readonly RequestSnapshot['state'][] = [
  'received',
  'verifying',
  'planned',
  'approving',
  'waiting',
];

const NOT_PROVED = 'Who asked did not prove in time who they are.';

/** What an event about the whole request changes. */
export function stepRequest(before: Neighbourhood, event: RequestEvent, now: Date): Step | Refusal {
  const { request } = before;
  const fact = (details: Fact['details'] = {}): Fact => ({
    action: `request.${event.type}`,
    subject: request.id,
    details,
  });
  switch (event.type) {
    case 'planned': {
      if (request.state !== 'received') return { refused: `the request is ${request.state}` };
      const planned = { ...request, openTasks: event.tasks };
      const next = event.approval
        ? 'approving'
        : event.waitsUntil !== null && event.waitsUntil > now
          ? 'waiting'
          : 'running';
      const made = fact({ tasks: event.tasks, next });
      if (next === 'running') return start(planned, { roots: before.others, now, fact: made });
      return change({ ...planned, state: next }, [made]);
    }
    case 'verification-asked':
      if (request.state !== 'received' || request.openTasks > 0)
        return { refused: `the request is ${request.state}` };
      return change({ ...request, state: 'verifying' }, [fact()]);
    case 'verified':
      if (request.state !== 'verifying') return { refused: `the request is ${request.state}, not verifying` };
      return change({ ...request, state: 'received' }, [fact({ by: event.by })], {
        reason: event.reason,
      });
    case 'expired':
      if (request.state !== 'verifying') return { refused: `the request is ${request.state}, not verifying` };
      return end({ ...request, state: 'expired' }, { open: before.others, fact: fact(), reason: NOT_PROVED });
    case 'merged':
      if (request.state !== 'verifying') return { refused: `the request is ${request.state}, not verifying` };
      return end(
        { ...request, state: 'cancelled' },
        { open: before.others, fact: fact({ into: event.into }), reason: `Asks the same as ${event.into}.` },
      );
    case 'approved':
      if (request.state !== 'approving') return { refused: `the request is ${request.state}, not approving` };
      return change({ ...request, state: 'waiting' }, [fact()]);
    case 'wait-over':
      if (request.state !== 'waiting') return { refused: `the request is ${request.state}, not waiting` };
      return start(request, { roots: before.others, now, fact: fact() });
    case 'held':
      if (isEnded(request.state) || request.state === 'held' || request.state === 'verifying')
        return { refused: `the request is ${request.state}` };
      return change({ ...request, state: 'held', heldFrom: request.state }, [fact()], {
        reason: event.reason,
      });
    case 'released':
      if (request.state !== 'held' || request.heldFrom === null)
        return { refused: `the request is ${request.state}, not held` };
      return release(request, { from: request.heldFrom, ready: before.others, now, fact: fact() });
    case 'rejected':
      if (request.state !== 'approving' && request.state !== 'verifying')
        return { refused: `the request is ${request.state}, neither verifying nor approving` };
      return end(
        { ...request, state: 'rejected' },
        { open: before.others, fact: fact(), reason: event.reason },
      );
    case 'cancelled': {
      const state = request.state === 'held' ? request.heldFrom : request.state;
      const early = state !== null && (UNSTARTED.includes(state) || isStarted(state));
      if (!early) return { refused: `the request is ${request.state}` };
      if (request.destructionStarted)
        return { refused: 'data is already being erased; a request can be cancelled only before that' };
      return end(
        { ...request, state: 'cancelled', heldFrom: null },
        { open: before.others, fact: fact(), reason: event.reason },
      );
    }
    default:
      return event satisfies never;
  }
}

/** Back to where it was held: tickets open, and what was ready goes on, not earlier than it may. */
function release(
  request: RequestSnapshot,
  options: {
    readonly from: RequestSnapshot['state'];
    readonly ready: readonly TaskSnapshot[];
    readonly now: Date;
    readonly fact: Fact;
  },
): Step {
  const { now } = options;
  const tickets = options.ready.filter((task) => task.kind === 'ticket');
  const restored = withState({
    ...request,
    state: options.from,
    heldFrom: null,
    destructionStarted: request.destructionStarted || (request.changesSystems && tickets.length > 0),
  });
  const completed = restored.state === 'completed' ? [completion(restored)] : [];
  const ready = options.ready.filter((task) => task.kind !== 'ticket' && isStarted(restored.state));
  return change(restored, [options.fact, ...tickets.map(ticketOpened), ...completed], {
    reason: null,
    tasks: tickets.map((task) => ({ ...task, state: 'waiting' })),
    due: ready.map((task) =>
      dueAt(task, task.nextAttemptAt !== null && task.nextAttemptAt > now ? task.nextAttemptAt : now),
    ),
  });
}
