import { approvalAsked, approve } from './approve.ts';
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
      const asked = event.approval ? { ...planned, approval: { needed: 1, given: [] } } : planned;
      const asks = event.approval ? [approvalAsked(request, { needed: 1 })] : [];
      const holds = event.legalHolds ?? [];
      if (holds.length > 0) {
        // Nothing is started: where it would have run at once, it goes on from where it waits.
        const heldFrom = next === 'running' ? 'waiting' : next;
        const placed = holds.map(
          (hold): Fact => ({ action: 'request.legal-hold-placed', subject: request.id, details: { hold } }),
        );
        const facts = [fact({ tasks: event.tasks, next: 'held' }), ...asks, ...placed];
        return change({ ...asked, state: 'held', heldFrom, legalHolds: holds }, facts, {
          reason: underHolds(holds),
        });
      }
      const made = fact({ tasks: event.tasks, next });
      if (next === 'running') return start(planned, { roots: before.others, now, fact: made });
      return change({ ...asked, state: next }, [made, ...asks]);
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
      return approve(before, event, now);
    case 'wait-over':
      if (request.state !== 'waiting') return { refused: `the request is ${request.state}, not waiting` };
      return start(request, { roots: before.others, now, fact: fact() });
    case 'held':
      if (isEnded(request.state) || request.state === 'held' || request.state === 'verifying')
        return { refused: `the request is ${request.state}` };
      return change({ ...request, state: 'held', heldFrom: request.state }, [fact()], {
        reason: event.reason,
      });
    case 'legal-hold-placed':
      return placeHold(request, event.hold, fact({ hold: event.hold }));
    case 'legal-hold-lifted':
      return liftHold(before, { hold: event.hold, now, fact: fact({ hold: event.hold }) });
    case 'released':
      if (request.state !== 'held' || request.heldFrom === null)
        return { refused: `the request is ${request.state}, not held` };
      if (holdsOf(request).length > 0) return releaseUnderHold(request, fact());
      return release(request, { from: request.heldFrom, ready: before.others, now, fact: fact() });
    case 'rejected':
      if (request.state !== 'approving' && request.state !== 'verifying')
        return { refused: `the request is ${request.state}, neither verifying nor approving` };
      if (request.destructionStarted) return { refused: 'data is already being changed' };
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
        { ...request, state: 'cancelled', heldFrom: null, legalHolds: [] },
        { open: before.others, fact: fact(), reason: event.reason },
      );
    }
    default:
      return event satisfies never;
  }
}

/** Who else holds a request that is under legal holds: a person did so before. */
const PERSON = 'person';

function holdsOf(request: RequestSnapshot): readonly string[] {
  return request.legalHolds ?? [];
}

function placeHold(request: RequestSnapshot, hold: string, placed: Fact): Step | Refusal {
  const { state } = request;
  if (!request.changesSystems) return { refused: 'the request changes nothing' };
  if (isEnded(state)) return { refused: `the request is ${state}` };
  // Holds are looked for when it is planned.
  if (state === 'verifying' || state === 'received') return { refused: `the request is ${state}` };
  const holds = holdsOf(request);
  if (holds.includes(hold)) return { refused: 'the hold covers it already' };
  if (state !== 'held')
    return change({ ...request, state: 'held', heldFrom: state, legalHolds: [hold] }, [placed], {
      reason: underHolds([hold]),
    });
  const others = holds.length === 0 ? [PERSON] : holds;
  return change({ ...request, legalHolds: [...others, hold] }, [placed]);
}

function liftHold(
  { request, others }: Neighbourhood,
  lifted: { readonly hold: string; readonly now: Date; readonly fact: Fact },
): Step | Refusal {
  if (!holdsOf(request).includes(lifted.hold)) return { refused: 'the hold does not cover it' };
  const left = holdsOf(request).filter((hold) => hold !== lifted.hold);
  if (left.length === 1 && left[0] === PERSON) return change({ ...request, legalHolds: [] }, [lifted.fact]);
  if (left.length > 0)
    return change({ ...request, legalHolds: left }, [lifted.fact], { reason: underHolds(left) });
  const free = { ...request, legalHolds: [] };
  if (request.state !== 'held' || request.heldFrom === null) return change(free, [lifted.fact]);
  return release(free, { from: request.heldFrom, ready: others, now: lifted.now, fact: lifted.fact });
}

/** A person takes their own hold back; the legal ones stay. */
function releaseUnderHold(request: RequestSnapshot, released: Fact): Step | Refusal {
  const left = holdsOf(request).filter((hold) => hold !== PERSON);
  if (left.length === holdsOf(request).length)
    return { refused: `it is under legal hold ${left.join(', ')}; release that` };
  return change({ ...request, legalHolds: left }, [released], { reason: underHolds(left) });
}

function underHolds(holds: readonly string[]): string {
  return `Under legal hold ${holds.filter((hold) => hold !== PERSON).join(', ')}.`;
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
