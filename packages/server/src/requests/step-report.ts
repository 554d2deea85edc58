import { change, dueAt, finish, type Refusal, type Step, withState } from './change.ts';
import type { TaskEvent } from './event.ts';
import { isEndedTask, type RequestSnapshot, type TaskSnapshot } from './snapshot.ts';

type Report = Extract<TaskEvent, { readonly type: 'task-reported' }>;

interface Reported {
  readonly request: RequestSnapshot;
  readonly task: TaskSnapshot;
  /** Tasks that wait for it. */
  readonly dependents: readonly TaskSnapshot[];
  readonly now: Date;
}

/**
 * A system said by an event how its work on a task ended. What a set of reports leads to depends on the set alone, not on the
 * order or the number in which they come:
 *
 *     one says completed ──▶ succeeded, for good
 *     else one says failed ─▶ blocked, until one says completed or a person retries
 *     else ─────────────────▶ waiting
 *
 * A report counts only for an operation that was begun: one from before, or about a former operation, changes nothing. While the
 * call itself is under way, or the request is held, it is early, and may fit later.
 */
export function report(event: Report, reported: Reported): Step | Refusal {
  const { request, task, dependents, now } = reported;
  if (task.kind === 'approval') return { refused: 'people approve, no system does' };
  if (isEndedTask(task.state)) return { refused: `the task is ${task.state}` };
  if (isAboutAnother(event, task)) return { refused: 'it is about a former operation' };
  if (task.state === 'running') return { refused: 'the call is under way', early: true };
  if (!wasAsked(task)) return { refused: `the task is ${task.state}, and nothing was asked yet` };
  if (request.state === 'held') return { refused: 'the request is held', early: true };
  if (!endsByWord(task)) return ask(reported);
  if (event.status === 'failed') return fail(reported);
  return finish(
    { ...request, blockedTasks: request.blockedTasks - (task.state === 'blocked' ? 1 : 0) },
    {
      ended: {
        ...task,
        state: 'succeeded',
        failures: 0,
        error: null,
        errorCode: null,
        nextAttemptAt: null,
      },
      dependents,
      now,
      fact: { action: 'task.succeeded', subject: task.id, details: { task: task.key, reported: true } },
    },
  );
}

/** Of what brings nothing back but that it is done. What brings rows, identities or counts is asked for them. */
function endsByWord(task: TaskSnapshot): boolean {
  return ['erase', 'rectify', 'restrict', 'object', 'ticket'].includes(task.kind);
}

function isAboutAnother(event: Report, task: TaskSnapshot): boolean {
  if (event.generation !== null) return event.generation !== task.generation;
  return task.reportsFrom !== null && event.at < task.reportsFrom;
}

/** Whether the system has the work: it took it, may have taken it (the call failed), or said that it failed. */
function wasAsked(task: TaskSnapshot): boolean {
  if (task.state === 'waiting') return true;
  if (task.kind !== 'ticket' && task.state === 'ready') return task.failures > 0;
  return task.state === 'blocked' && task.errorCode === 'SYSTEM_FAILED';
}

function ask({ request, task, now }: Reported): Step | Refusal {
  if (task.state !== 'waiting') return { refused: `the task is ${task.state}` };
  return change(request, [{ action: 'task.due', subject: task.id, details: { task: task.key } }], {
    tasks: [{ ...task, state: 'ready', nextAttemptAt: now }],
    due: [dueAt(task, now)],
  });
}

function fail({ request, task }: Reported): Step | Refusal {
  if (task.state === 'blocked') return { refused: 'the task is blocked' };
  const error = {
    code: 'SYSTEM_FAILED',
    message: `${task.system} says by an event that it failed. Ask its team why; then retry the task, which begins another operation, or skip it with a reason.`,
  };
  const failures = task.failures + 1;
  const details = { task: task.key, code: error.code, failures, reported: true };
  return change(
    withState({ ...request, blockedTasks: request.blockedTasks + 1 }),
    [{ action: 'task.blocked', subject: task.id, details }],
    { tasks: [{ ...task, state: 'blocked', failures, error, errorCode: error.code, nextAttemptAt: null }] },
  );
}
