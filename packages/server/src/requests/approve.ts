import { change, type Fact, finish, type Refusal, type Step, withState } from './change.ts';
import type { Neighbourhood, RequestEvent, TaskEvent } from './event.ts';
import type { RequestSnapshot, TaskSnapshot } from './snapshot.ts';

/** How many people decide about a request that destroys more than one may have destroyed. */
export const FOUR_EYES = 2;

/** Somebody has to approve before it goes on. */
export function approvalAsked(request: RequestSnapshot, details: Fact['details']): Fact {
  return { action: 'request.approval-asked', subject: request.id, details };
}

/**
 * More rows were found than one person may have destroyed: the request stops where all keys are stored and nothing is destroyed, until
 * two people approve. Who approved it before anybody knew the number is asked anew.
 *
 *     locate:* ─▶ approval ─▶ gate:keys ─▶ erase:*
 */
export function askApproval(
  event: Extract<TaskEvent, { readonly type: 'approval-asked' }>,
  { request, task }: { readonly request: RequestSnapshot; readonly task: TaskSnapshot },
): Step | Refusal {
  if (task.kind !== 'approval') return { refused: 'the task asks nobody' };
  if (task.state !== 'running' || task.attempt !== event.attempt) return { refused: 'a stale answer' };
  const stops = { ...request, approval: { needed: FOUR_EYES, given: [] } };
  const { rows, above } = event;
  return change(
    request.state === 'held' ? { ...stops, heldFrom: 'approving' } : { ...stops, state: 'approving' },
    [approvalAsked(request, { needed: FOUR_EYES, rows, above })],
    {
      tasks: [{ ...task, state: 'waiting', failures: 0, error: null, errorCode: null, nextAttemptAt: null }],
    },
  );
}

/** Somebody approves. With the last one needed it goes on: to its waiting time, or from where it was stopped. */
export function approve(
  { request, others }: Neighbourhood,
  { by }: Extract<RequestEvent, { readonly type: 'approved' }>,
  now: Date,
): Step | Refusal {
  if (request.state !== 'approving') return { refused: `the request is ${request.state}, not approving` };
  const { needed, given } = request.approval ?? { needed: 1, given: [] };
  if (given.includes(by)) return { refused: 'you approved it already; another person has to' };
  const approval = { needed, given: [...given, by] };
  const approved: Fact = {
    action: 'request.approved',
    subject: request.id,
    details: { approvals: approval.given.length, needed },
  };
  if (approval.given.length < needed) return change({ ...request, approval }, [approved]);
  const stopped = others.find((task) => task.kind === 'approval');
  if (stopped === undefined) return change({ ...request, approval, state: 'waiting' }, [approved]);
  const goesOn = finish(withState({ ...request, approval, state: 'running' }), {
    ended: { ...stopped, state: 'succeeded' },
    dependents: others.filter((task) => task !== stopped),
    now,
    fact: { action: 'task.succeeded', subject: stopped.id, details: { task: stopped.key } },
  });
  return { ...goesOn, facts: [approved, ...goesOn.facts] };
}
