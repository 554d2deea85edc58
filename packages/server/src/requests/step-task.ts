import { askApproval } from './approve.ts';
import type { RetryRules } from './back-off.ts';
import { backOff } from './back-off.ts';
import {
  change,
  dueAt,
  type Fact,
  finish,
  type Refusal,
  type Step,
  type TaskChange,
  unlock,
  withState,
} from './change.ts';
import { isUndone, type Neighbourhood, type TaskError, type TaskEvent } from './event.ts';
import { canRedo, redo } from './redo.ts';
import { isChanging, waitsForPeople } from './rights.ts';
import { isEnded, isEndedTask, isStarted, type RequestSnapshot, type TaskSnapshot } from './snapshot.ts';
import { report } from './step-report.ts';

/** A verification that fails reads this often, for stores that need a moment, before it has the system erased or changed again. */
const READINGS = 3;
/** How often a system is erased, or changed, without a person looking at it: the second time is for what came while the first one ran. */
const ACTS = 2;

export interface StepContext {
  readonly now: Date;
  readonly retry: RetryRules;
  /** In [0, 1): spreads retries. */
  readonly random: number;
}

interface TaskStep {
  readonly request: RequestSnapshot;
  readonly task: TaskSnapshot;
  readonly before: Neighbourhood;
  readonly context: StepContext;
  readonly fact: (action: string, details?: Fact['details']) => Fact;
}

type EventOf<Type extends TaskEvent['type']> = Extract<TaskEvent, { readonly type: Type }>;

/** What an event about one task changes. */
export function stepTask(
  before: Neighbourhood & { readonly task: TaskSnapshot },
  event: TaskEvent,
  context: StepContext,
): Step | Refusal {
  const { request, task } = before;
  const on: TaskStep = {
    request,
    task,
    before,
    context,
    fact: (action, details = {}) => ({ action, subject: task.id, details: { task: task.key, ...details } }),
  };
  switch (event.type) {
    case 'task-claimed':
      return claim(on);
    case 'task-succeeded':
      return succeed(on, event);
    case 'task-pending':
      return wait(on, event);
    case 'approval-asked':
      return askApproval(event, { request, task });
    case 'task-due':
      if (waitsForPeople(task.kind) || task.state !== 'waiting')
        return { refused: `the task is ${task.state}` };
      return change(request, [on.fact('task.due')], {
        tasks: [{ ...task, state: 'ready', nextAttemptAt: context.now }],
        due: [dueAt(task, context.now)],
      });
    case 'task-lost':
      return lose(on, event);
    case 'task-failed':
      return fail(on, event);
    case 'task-retried':
      return retry(on, event);
    case 'task-skipped':
      return skip(on);
    case 'task-reported':
      return takeReport(on, event);
    case 'gate-opened':
      // The gate itself was closed and counted by the event that opened it; here it only unlocks.
      return unlock(request, { tasks: before.others, ended: 1, now: context.now, facts: [] });
    default:
      return event satisfies never;
  }
}

function claim({ request, task, context, fact }: TaskStep): Step | Refusal {
  if (!isStarted(request.state)) return { refused: `the request is ${request.state}` };
  // A job for a waiting task comes when the system has to be asked again.
  const due =
    task.state === 'ready' ? task.kind !== 'ticket' : task.state === 'waiting' && !waitsForPeople(task.kind);
  if (!due) return { refused: `the task is ${task.state}` };
  if (task.nextAttemptAt !== null && task.nextAttemptAt > context.now)
    return { refused: 'another worker had it, and its time has not come again' };
  const attempt = task.attempt + 1;
  const destroys = isChanging(task.kind) && request.changesSystems;
  return change(
    { ...request, destructionStarted: request.destructionStarted || destroys },
    [fact('task.started', { attempt })],
    { tasks: [{ ...task, state: 'running', attempt, nextAttemptAt: null }] },
  );
}

function succeed(on: TaskStep, event: EventOf<'task-succeeded'>): Step | Refusal {
  const { request, task, before, context, fact } = on;
  if (task.kind === 'ticket' && request.state === 'held') return { refused: 'the request is held' };
  if (!isAnswerable(task, event.attempt)) return { refused: 'a stale answer' };
  const matched = event.matched === null ? request.matched : (request.matched ?? false) || event.matched;
  return finish(
    { ...request, matched },
    {
      ended: { ...task, ...CLEAN, state: 'succeeded' },
      dependents: before.others,
      now: context.now,
      fact: fact('task.succeeded', { matched: event.matched }),
    },
  );
}

function wait({ request, task, context, fact }: TaskStep, event: EventOf<'task-pending'>): Step | Refusal {
  if (!isCurrent(task, event.attempt)) return { refused: 'a stale answer' };
  const reported = task.calledBackAt?.getTime() !== event.calledBackAt?.getTime();
  const at = reported ? context.now : event.retryAt;
  return change(request, [fact('task.waiting')], {
    tasks: [{ ...task, ...CLEAN, state: 'waiting', nextAttemptAt: at }],
    due: [dueAt(task, at)],
  });
}

function lose(on: TaskStep, event: EventOf<'task-lost'>): Step | Refusal {
  const { request, task, context, fact } = on;
  if (!isCurrent(task, event.attempt)) return { refused: 'a stale finding' };
  const failures = task.failures + (event.died ? 1 : 0);
  if (failures >= context.retry.maxFailures) {
    return block(on, failures, {
      code: 'INTERNAL',
      message: `The server ended ${failures} times while it worked on this task. Look at its log, then retry the task.`,
    });
  }
  return change(request, [fact('task.lost', { attempt: task.attempt, failures })], {
    tasks: [{ ...task, state: 'ready', failures, nextAttemptAt: context.now }],
    due: [dueAt(task, context.now)],
  });
}

function fail(on: TaskStep, event: EventOf<'task-failed'>): Step | Refusal {
  const { request, task, before, context, fact } = on;
  if (task.kind === 'ticket' && request.state === 'held') return { refused: 'the request is held' };
  if (!isAnswerable(task, event.attempt)) return { refused: 'a stale answer' };
  const { error } = event;
  const failures = task.failures + 1;
  const found = isUndone(error.code);
  const foundForGood = found && task.errorCode === error.code && failures >= READINGS;
  if (event.retryable && failures < context.retry.maxFailures && !foundForGood) {
    const at = new Date(context.now.getTime() + backOff(failures, context.retry, context.random));
    return change(request, [fact('task.failed', { code: error.code, failures })], {
      tasks: [{ ...task, state: 'ready', failures, error, errorCode: error.code, nextAttemptAt: at }],
      due: [dueAt(task, at)],
    });
  }
  const again = before.redo ?? [];
  if (found && canRedo(again) && task.generation < ACTS) {
    const facts = [fact('task.failed', { code: error.code, failures }), fact('task.acts-again')];
    return redo(request, { redo: again, now: context.now, facts });
  }
  return block(on, failures, error);
}

/** See {@link report}. */
function takeReport(on: TaskStep, event: EventOf<'task-reported'>): Step | Refusal {
  const { request, task, before, context } = on;
  return report(event, { request, task, dependents: before.others, now: context.now });
}

function block({ request, task, fact }: TaskStep, failures: number, error: TaskError): Step {
  return change(
    withState({ ...request, blockedTasks: request.blockedTasks + 1 }),
    [fact('task.blocked', { code: error.code, failures })],
    { tasks: [{ ...task, state: 'blocked', failures, error, errorCode: error.code, nextAttemptAt: null }] },
  );
}

/** A retry by a person. */
function retry(on: TaskStep, event: EventOf<'task-retried'>): Step | Refusal {
  const { request, task, before, context, fact } = on;
  if (task.state !== 'blocked') return { refused: `the task is ${task.state}, not blocked` };
  const again = before.redo ?? [];
  if (task.kind === 'verify' && isUndone(task.errorCode) && canRedo(again))
    return redo(request, { redo: again, now: context.now, facts: [fact('task.retried')] });
  const retried: TaskChange = {
    ...task,
    ...CLEAN,
    nextAttemptAt: task.kind === 'ticket' ? null : context.now,
    state: task.kind === 'ticket' ? 'waiting' : 'ready',
    forgetsOperation: event.anew,
    ...(event.anew ? { generation: task.generation + 1, reportsFrom: context.now } : {}),
  };
  return change(withState({ ...request, blockedTasks: request.blockedTasks - 1 }), [fact('task.retried')], {
    tasks: [retried],
    due: task.kind === 'ticket' ? [] : [dueAt(task, context.now)],
  });
}

function skip({ request, task, before, context, fact }: TaskStep): Step | Refusal {
  if (isEnded(request.state) || isEndedTask(task.state) || task.state === 'running')
    return { refused: `the task is ${task.state} and the request ${request.state}` };
  if (task.kind === 'approval')
    return { refused: 'two people have to approve; approve, reject or cancel the request' };
  if (task.state === 'pending')
    return { refused: 'the task is pending; skip what it waits for, or wait until it is due' };
  // Who answers for one reading of a system answers for the later one too.
  const laterReadings = before.others.filter(
    (other) => task.kind === 'verify' && other.kind === 'verify' && other.system === task.system,
  );
  const skipped = laterReadings.map((other): TaskChange => ({ ...other, state: 'skipped' }));
  const counted = {
    ...request,
    blockedTasks: request.blockedTasks - (task.state === 'blocked' ? 1 : 0),
    openTasks: request.openTasks - skipped.length,
  };
  const finished = finish(counted, {
    ended: { ...task, state: 'skipped', nextAttemptAt: null },
    dependents: before.others.filter((other) => !laterReadings.includes(other)),
    now: context.now,
    fact: fact('task.skipped'),
  });
  return { ...finished, tasks: [...finished.tasks, ...skipped] };
}

const CLEAN = { failures: 0, error: null, errorCode: null, nextAttemptAt: null } as const;

function isCurrent(task: TaskSnapshot, attempt: number): boolean {
  return task.state === 'running' && task.attempt === attempt;
}

/** A ticket waits for its answer; every other task is running when it is answered. */
function isAnswerable(task: TaskSnapshot, attempt: number): boolean {
  return (task.kind === 'ticket' && task.state === 'waiting') || isCurrent(task, attempt);
}
