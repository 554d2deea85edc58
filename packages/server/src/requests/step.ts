import type { api } from '@habeas/contract';
import { backOff, type RetryRules } from './back-off.ts';

/** What the state machine needs to know of a request. */
export interface RequestSnapshot {
  readonly id: string;
  readonly state: api.RequestState;
  /** Whether it destroys: an erasure that is no dry run. */
  readonly erases: boolean;
  /** The state that `released` goes back to; null unless held. */
  readonly heldFrom: api.RequestState | null;
  /** Tasks that have not ended, blocked ones included. */
  readonly openTasks: number;
  readonly blockedTasks: number;
  /** Whether a task that destroys was ever started: from then on a request cannot be cancelled. */
  readonly destructionStarted: boolean;
  readonly matched: boolean | null;
}

/** What the state machine needs to know of a task. */
export interface TaskSnapshot {
  readonly id: string;
  readonly key: string;
  readonly kind: api.TaskKind;
  /** The system that it acts on; null for gates and packages. */
  readonly system: string | null;
  readonly state: api.TaskState;
  /** How many tasks that this one depends on have not ended. */
  readonly remaining: number;
  /** Counts every start; an answer that names another attempt is stale and changes nothing. */
  readonly attempt: number;
  /** Failures in a row since the last success or the last retry by a person. */
  readonly failures: number;
  /** Counts retries by a person after data was found again; part of the idempotency key. */
  readonly generation: number;
}

export interface TaskError {
  readonly code: string;
  readonly message: string;
}

export type RequestEvent =
  | {
      readonly type: 'planned';
      readonly tasks: number;
      readonly approval: boolean;
      readonly waitsUntil: Date | null;
    }
  | { readonly type: 'approved' | 'wait-over' | 'released' }
  | { readonly type: 'rejected' | 'cancelled' | 'held'; readonly reason: string };

export type TaskEvent =
  | { readonly type: 'task-claimed' }
  | { readonly type: 'task-succeeded'; readonly attempt: number; readonly matched: boolean | null }
  | { readonly type: 'task-pending'; readonly attempt: number; readonly retryAt: Date }
  | {
      readonly type: 'task-failed';
      readonly attempt: number;
      readonly error: TaskError;
      readonly retryable: boolean;
    }
  | { readonly type: 'task-due' }
  /** `died`: its process ended in the middle, or lost the answer; not a server that was stopped. */
  | { readonly type: 'task-lost'; readonly attempt: number; readonly died: boolean }
  /** `anew`: as another operation, because the system says that the former one failed for good. */
  | { readonly type: 'task-retried'; readonly anew: boolean }
  | { readonly type: 'task-skipped'; readonly reason: string }
  | { readonly type: 'gate-opened' };

export type Event = RequestEvent | TaskEvent;

/** The part of a request that one event can touch. What is not listed here does not change. */
export interface Neighbourhood {
  readonly request: RequestSnapshot;
  /** The task of a task event. */
  readonly task?: TaskSnapshot | undefined;
  /**
   * For an event that ends the task: the tasks that depend on it. For an event that starts the request: the tasks that
   * wait for nothing. For `released`: the tasks that are ready. For `rejected` and `cancelled`: the tasks that are open.
   */
  readonly others: readonly TaskSnapshot[];
  /** For `task-retried` of a verification: the same system's `locate` and `erase`, which are done again. */
  readonly companions?: readonly TaskSnapshot[];
}

export interface TaskChange extends TaskSnapshot {
  /** When it may start again, for a ready task that backs off or a waiting one that is polled. */
  readonly nextAttemptAt?: Date | null;
  readonly error?: TaskError | null;
  /** The system's operation is of no use any more; the next attempt begins another one. */
  readonly forgetsOperation?: boolean;
}

export interface QueuedTask {
  readonly taskId: string;
  readonly system: string | null;
  readonly at: Date;
}

/** Something that happened, for the audit log and the event stream. No personal data. */
export interface Fact {
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface Step {
  readonly request: RequestSnapshot;
  readonly reason?: string;
  readonly tasks: readonly TaskChange[];
  /** Tasks for the queue, and from when on. */
  readonly enqueue: readonly QueuedTask[];
  /** Gates that opened: each is an event of its own, in the same transaction. */
  readonly gates: readonly string[];
  readonly facts: readonly Fact[];
}

/** The event does not fit the state: a duplicate, a late answer, or a command that comes too late. Nothing changes. */
export interface Refusal {
  readonly refused: string;
}

export interface StepContext {
  readonly now: Date;
  readonly retry: RetryRules;
  /** In [0, 1): spreads retries. */
  readonly random: number;
}

const STARTED: readonly api.RequestState[] = ['running', 'blocked'];
const UNSTARTED: readonly api.RequestState[] = ['received', 'planned', 'approving', 'waiting'];
const ENDED_TASK: readonly api.TaskState[] = ['succeeded', 'skipped', 'cancelled'];

export function isEnded(state: api.RequestState): boolean {
  return state === 'completed' || state === 'rejected' || state === 'cancelled';
}

/**
 * The life of a request as a pure function: what one event changes. It is total: an event that does not fit is refused,
 * never thrown, so duplicates, late answers and reordering change nothing.
 */
export function step(before: Neighbourhood, event: Event, context: StepContext): Step | Refusal {
  switch (event.type) {
    case 'planned':
    case 'approved':
    case 'wait-over':
    case 'released':
    case 'rejected':
    case 'cancelled':
    case 'held':
      return stepRequest(before, event, context);
    default:
      if (before.task === undefined) return { refused: 'no task' };
      return stepTask(before.request, before.task, before, event, context);
  }
}

function stepRequest(before: Neighbourhood, event: RequestEvent, context: StepContext): Step | Refusal {
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
      if (event.approval)
        return change({ ...planned, state: 'approving' }, [fact({ tasks: event.tasks, next: 'approving' })]);
      if (event.waitsUntil !== null && event.waitsUntil > context.now) {
        return change({ ...planned, state: 'waiting' }, [fact({ tasks: event.tasks, next: 'waiting' })]);
      }
      return start(planned, before.others, context, fact({ tasks: event.tasks, next: 'running' }));
    }
    case 'approved':
      if (request.state !== 'approving') return { refused: `the request is ${request.state}, not approving` };
      return change({ ...request, state: 'waiting' }, [fact()]);
    case 'wait-over':
      if (request.state !== 'waiting') return { refused: `the request is ${request.state}, not waiting` };
      return start(request, before.others, context, fact());
    case 'held':
      if (isEnded(request.state) || request.state === 'held')
        return { refused: `the request is ${request.state}` };
      return change({ ...request, state: 'held', heldFrom: request.state }, [fact()], {
        reason: event.reason,
      });
    case 'released': {
      if (request.state !== 'held' || request.heldFrom === null)
        return { refused: `the request is ${request.state}, not held` };
      const tickets = before.others.filter((task) => task.kind === 'ticket');
      const restored = withState({
        ...request,
        state: request.heldFrom,
        heldFrom: null,
        destructionStarted: request.destructionStarted || (request.erases && tickets.length > 0),
      });
      const completed = restored.state === 'completed' ? [completion(restored)] : [];
      const due = before.others.filter((task) => task.kind !== 'ticket' && STARTED.includes(restored.state));
      return change(restored, [fact(), ...tickets.map(ticketOpened), ...completed], {
        tasks: tickets.map((task) => ({ ...task, state: 'waiting' })),
        enqueue: due.map((task) => queued(task, context.now)),
      });
    }
    case 'rejected':
      if (request.state !== 'approving') return { refused: `the request is ${request.state}, not approving` };
      return end({ ...request, state: 'rejected' }, before.others, fact(), event.reason);
    case 'cancelled': {
      const state = request.state === 'held' ? request.heldFrom : request.state;
      const early = state !== null && (UNSTARTED.includes(state) || STARTED.includes(state));
      if (!early) return { refused: `the request is ${request.state}` };
      if (request.destructionStarted)
        return { refused: 'data is already being erased; a request can be cancelled only before that' };
      return end({ ...request, state: 'cancelled', heldFrom: null }, before.others, fact(), event.reason);
    }
    default:
      return event satisfies never;
  }
}

function stepTask(
  request: RequestSnapshot,
  task: TaskSnapshot,
  before: Neighbourhood,
  event: TaskEvent,
  context: StepContext,
): Step | Refusal {
  const fact = (action: string, details: Fact['details'] = {}): Fact => ({
    action,
    subject: task.id,
    details: { task: task.key, ...details },
  });
  switch (event.type) {
    case 'task-claimed': {
      if (!STARTED.includes(request.state)) return { refused: `the request is ${request.state}` };
      // A job for a waiting task comes when the system has to be asked again.
      const due = task.kind !== 'ticket' && (task.state === 'ready' || task.state === 'waiting');
      if (!due) return { refused: `the task is ${task.state}` };
      const destroys = task.kind === 'erase' && request.erases;
      const claimed: TaskChange = {
        ...task,
        state: 'running',
        attempt: task.attempt + 1,
        nextAttemptAt: null,
      };
      return change(
        { ...request, destructionStarted: request.destructionStarted || destroys },
        [fact('task.started', { attempt: claimed.attempt })],
        {
          tasks: [claimed],
        },
      );
    }
    case 'task-succeeded': {
      if (task.kind === 'ticket' && request.state === 'held') return { refused: 'the request is held' };
      const ticket = task.kind === 'ticket' && task.state === 'waiting';
      if (!ticket && !isCurrent(task, event.attempt)) return { refused: 'a stale answer' };
      const done: TaskChange = { ...task, state: 'succeeded', failures: 0, error: null, nextAttemptAt: null };
      const matched = event.matched === null ? request.matched : (request.matched ?? false) || event.matched;
      return finish(
        { ...request, matched },
        done,
        before.others,
        context,
        fact('task.succeeded', { matched: event.matched }),
      );
    }
    case 'task-pending': {
      if (!isCurrent(task, event.attempt)) return { refused: 'a stale answer' };
      const waiting: TaskChange = {
        ...task,
        state: 'waiting',
        failures: 0,
        error: null,
        nextAttemptAt: event.retryAt,
      };
      return change(request, [fact('task.waiting')], {
        tasks: [waiting],
        enqueue: [queued(task, event.retryAt)],
      });
    }
    case 'task-due':
      if (task.kind === 'ticket' || task.state !== 'waiting') return { refused: `the task is ${task.state}` };
      return change(request, [fact('task.due')], {
        tasks: [{ ...task, state: 'ready', nextAttemptAt: null }],
        enqueue: [queued(task, context.now)],
      });
    case 'task-lost': {
      if (!isCurrent(task, event.attempt)) return { refused: 'a stale finding' };
      const failures = task.failures + (event.died ? 1 : 0);
      const details = { attempt: task.attempt, failures };
      if (failures >= context.retry.maxFailures) {
        const error = {
          code: 'INTERNAL',
          message: `The server ended ${failures} times while it worked on this task. Look at its log, then retry the task.`,
        };
        const blocked: TaskChange = { ...task, state: 'blocked', failures, error, nextAttemptAt: null };
        return change(
          withState({ ...request, blockedTasks: request.blockedTasks + 1 }),
          [fact('task.blocked', { ...details, code: error.code })],
          {
            tasks: [blocked],
          },
        );
      }
      return change(request, [fact('task.lost', details)], {
        tasks: [{ ...task, state: 'ready', failures, nextAttemptAt: null }],
        enqueue: [queued(task, context.now)],
      });
    }
    case 'task-failed': {
      const ticket = task.kind === 'ticket' && task.state === 'waiting';
      if (!ticket && !isCurrent(task, event.attempt)) return { refused: 'a stale answer' };
      const failures = task.failures + 1;
      const details = { code: event.error.code, failures };
      if (event.retryable && failures < context.retry.maxFailures) {
        const at = new Date(context.now.getTime() + backOff(failures, context.retry, context.random));
        const again: TaskChange = {
          ...task,
          state: 'ready',
          failures,
          error: event.error,
          nextAttemptAt: at,
        };
        return change(request, [fact('task.failed', details)], {
          tasks: [again],
          enqueue: [queued(task, at)],
        });
      }
      const blocked: TaskChange = {
        ...task,
        state: 'blocked',
        failures,
        error: event.error,
        nextAttemptAt: null,
      };
      return change(
        withState({ ...request, blockedTasks: request.blockedTasks + 1 }),
        [fact('task.blocked', details)],
        { tasks: [blocked] },
      );
    }
    case 'task-retried':
      return retry({
        request,
        task,
        companions: before.companions ?? [],
        anew: event.anew,
        context,
        fact: fact('task.retried'),
      });
    case 'task-skipped': {
      if (isEnded(request.state) || ENDED_TASK.includes(task.state) || task.state === 'running') {
        return { refused: `the task is ${task.state} and the request ${request.state}` };
      }
      if (task.state === 'pending')
        return { refused: 'the task is pending; skip what it waits for, or wait until it is due' };
      const blockedTasks = request.blockedTasks - (task.state === 'blocked' ? 1 : 0);
      const skipped: TaskChange = { ...task, state: 'skipped', nextAttemptAt: null };
      return finish({ ...request, blockedTasks }, skipped, before.others, context, fact('task.skipped'));
    }
    case 'gate-opened':
      // The gate itself was closed and counted by the event that opened it; here it only unlocks.
      return unlockAll(request, before.others, context, []);
    default:
      return event satisfies never;
  }
}

/** A retry by a person. Data found again after an erasure is located and erased anew, under a new idempotency key. */
function retry(options: {
  readonly request: RequestSnapshot;
  readonly task: TaskSnapshot;
  readonly companions: readonly TaskSnapshot[];
  readonly anew: boolean;
  readonly context: StepContext;
  readonly fact: Fact;
}): Step | Refusal {
  const { request, task, companions, anew, context, fact } = options;
  if (task.state !== 'blocked') return { refused: `the task is ${task.state}, not blocked` };
  const unblocked = { ...request, blockedTasks: request.blockedTasks - 1 };
  const ready = (again: TaskSnapshot, how: { readonly anew: boolean }): TaskChange => ({
    ...again,
    state: again.kind === 'ticket' ? 'waiting' : 'ready',
    failures: 0,
    error: null,
    nextAttemptAt: null,
    forgetsOperation: how.anew,
    ...(how.anew ? { generation: again.generation + 1 } : {}),
  });
  const redone =
    task.kind === 'verify' ? companions.filter((companion) => ENDED_TASK.includes(companion.state)) : [];
  if (redone.length === 0) {
    return change(withState(unblocked), [fact], {
      tasks: [ready(task, { anew })],
      enqueue: task.kind === 'ticket' ? [] : [queued(task, context.now)],
    });
  }
  const order: readonly api.TaskKind[] = ['locate', 'erase', 'verify'];
  const chain = [...redone, task].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const changes = chain.map((again, index): TaskChange => {
    const next = ready(again, { anew: true });
    return index === 0 ? next : { ...next, state: 'pending', remaining: 1 };
  });
  return change(withState({ ...unblocked, openTasks: unblocked.openTasks + redone.length }), [fact], {
    tasks: changes,
    enqueue: changes.slice(0, 1).map((first) => queued(first, context.now)),
  });
}

function queued(task: TaskSnapshot, at: Date): QueuedTask {
  return { taskId: task.id, system: task.system, at };
}

function isCurrent(task: TaskSnapshot, attempt: number): boolean {
  return task.state === 'running' && task.attempt === attempt;
}

function start(
  request: RequestSnapshot,
  roots: readonly TaskSnapshot[],
  context: StepContext,
  fact: Fact,
): Step {
  return unlockAll({ ...request, state: 'running' }, roots, context, [fact], { areRoots: true });
}

/** One task ended: count it and unlock what waited for it. */
function finish(
  request: RequestSnapshot,
  ended: TaskChange,
  dependents: readonly TaskSnapshot[],
  context: StepContext,
  fact: Fact,
): Step {
  const unlocked = unlockAll({ ...request, openTasks: request.openTasks - 1 }, dependents, context, [fact]);
  return { ...unlocked, tasks: [ended, ...unlocked.tasks] };
}

function unlockAll(
  request: RequestSnapshot,
  tasks: readonly TaskSnapshot[],
  context: StepContext,
  facts: readonly Fact[],
  options: { readonly areRoots?: boolean } = {},
): Step {
  const changes: TaskChange[] = [];
  const enqueue: QueuedTask[] = [];
  const gates: string[] = [];
  const opened: Fact[] = [];
  let destroys = false;
  for (const task of tasks) {
    if (task.state !== 'pending') continue;
    const remaining = options.areRoots ? task.remaining : task.remaining - 1;
    if (remaining > 0) {
      changes.push({ ...task, remaining });
      continue;
    }
    if (task.kind === 'gate') {
      changes.push({ ...task, remaining: 0, state: 'succeeded' });
      gates.push(task.id);
    } else if (task.kind === 'ticket' && request.state === 'held') {
      // It opens when the request is released.
      changes.push({ ...task, remaining: 0, state: 'ready', nextAttemptAt: null });
    } else if (task.kind === 'ticket') {
      destroys ||= request.erases;
      changes.push({ ...task, remaining: 0, state: 'waiting', nextAttemptAt: null });
      opened.push(ticketOpened(task));
    } else {
      changes.push({ ...task, remaining: 0, state: 'ready', nextAttemptAt: null });
      enqueue.push(queued(task, context.now));
    }
  }
  const counted = withState({
    ...request,
    openTasks: request.openTasks - gates.length,
    destructionStarted: request.destructionStarted || destroys,
  });
  const ended = counted.state === 'completed' && request.state !== 'completed' ? [completion(counted)] : [];
  return { request: counted, tasks: changes, enqueue, gates, facts: [...facts, ...opened, ...ended] };
}

/** `running`, `blocked` or `completed` follow from the counts; every other state is left as it is. */
function withState(request: RequestSnapshot): RequestSnapshot {
  if (!STARTED.includes(request.state)) return request;
  if (request.openTasks === 0) return { ...request, state: 'completed', matched: request.matched ?? false };
  return { ...request, state: request.blockedTasks > 0 ? 'blocked' : 'running' };
}

function ticketOpened(task: TaskSnapshot): Fact {
  return { action: 'ticket.opened', subject: task.id, details: { task: task.key } };
}

function completion(request: RequestSnapshot): Fact {
  return { action: 'request.completed', subject: request.id, details: { matched: request.matched } };
}

function end(request: RequestSnapshot, open: readonly TaskSnapshot[], fact: Fact, reason: string): Step {
  const tasks = open
    .filter((task) => !ENDED_TASK.includes(task.state))
    .map((task): TaskChange => ({ ...task, state: 'cancelled', nextAttemptAt: null }));
  return change({ ...request, openTasks: 0, blockedTasks: 0 }, [fact], { tasks, reason });
}

function change(
  request: RequestSnapshot,
  facts: readonly Fact[],
  more: {
    readonly tasks?: readonly TaskChange[];
    readonly enqueue?: Step['enqueue'];
    readonly reason?: string;
  } = {},
): Step {
  return {
    request,
    tasks: more.tasks ?? [],
    enqueue: more.enqueue ?? [],
    gates: [],
    facts,
    ...(more.reason === undefined ? {} : { reason: more.reason }),
  };
}
