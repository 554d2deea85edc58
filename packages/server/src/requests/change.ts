import type { TaskError } from './event.ts';
import { isEndedTask, isStarted, type RequestSnapshot, type TaskSnapshot } from './snapshot.ts';

export interface TaskChange extends TaskSnapshot {
  /** Absent: unchanged. */
  readonly error?: TaskError | null;
  /** The system's operation is of no use any more; the next attempt begins another one. */
  readonly forgetsOperation?: boolean;
  /** What it brought back is not true any more. */
  readonly forgetsEvidence?: boolean;
}

/** A task that can be worked on. */
export interface DueTask {
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
  /** Why a person did it; null clears it, absent leaves it. */
  readonly reason?: string | null;
  readonly tasks: readonly TaskChange[];
  /** Systems at which something is due, and from when on. */
  readonly due: readonly DueTask[];
  /** Gates that opened: each is an event of its own, right after this one. */
  readonly gates: readonly string[];
  readonly facts: readonly Fact[];
}

/** The event does not fit the state: a duplicate, a late answer, or a command that comes too late. Nothing changes. */
export interface Refusal {
  readonly refused: string;
  /** It may fit later, when what is under way has ended: whoever has it keeps it. */
  readonly early?: true;
}

export function change(
  request: RequestSnapshot,
  facts: readonly Fact[],
  more: {
    readonly tasks?: readonly TaskChange[];
    readonly due?: Step['due'];
    readonly reason?: string | null;
  } = {},
): Step {
  return {
    request,
    tasks: more.tasks ?? [],
    due: more.due ?? [],
    gates: [],
    facts,
    ...(more.reason === undefined ? {} : { reason: more.reason }),
  };
}

export function dueAt(task: TaskSnapshot, at: Date): DueTask {
  return { taskId: task.id, system: task.system, at };
}

/** `running`, `blocked` or `completed` follow from the counts; every other state is left as it is. */
export function withState(request: RequestSnapshot): RequestSnapshot {
  if (!isStarted(request.state)) return request;
  if (request.openTasks === 0) return { ...request, state: 'completed', matched: request.matched ?? false };
  return { ...request, state: request.blockedTasks > 0 ? 'blocked' : 'running' };
}

/** The request begins: what waits for nothing is ready. */
export function start(
  request: RequestSnapshot,
  options: { readonly roots: readonly TaskSnapshot[]; readonly now: Date; readonly fact: Fact },
): Step {
  const { roots, now, fact } = options;
  return unlock({ ...request, state: 'running' }, { tasks: roots, now, facts: [fact], ended: 0 });
}

/** One task ended: count it and unlock what waited for it. */
export function finish(
  request: RequestSnapshot,
  options: {
    readonly ended: TaskChange;
    readonly dependents: readonly TaskSnapshot[];
    readonly now: Date;
    readonly fact: Fact;
  },
): Step {
  const { ended, dependents, now, fact } = options;
  const counted = { ...request, openTasks: request.openTasks - 1 };
  const unlocked = unlock(counted, { tasks: dependents, now, facts: [fact], ended: 1 });
  return { ...unlocked, tasks: [ended, ...unlocked.tasks] };
}

/** Tasks wait for `ended` tasks less; those that wait for none any more are ready, opened, or, as gates, passed. */
export function unlock(
  request: RequestSnapshot,
  options: {
    readonly tasks: readonly TaskSnapshot[];
    readonly ended: 0 | 1;
    readonly now: Date;
    readonly facts: readonly Fact[];
  },
): Step {
  const changes: TaskChange[] = [];
  const due: DueTask[] = [];
  const gates: string[] = [];
  const opened: Fact[] = [];
  let destroys = false;
  for (const task of options.tasks) {
    if (task.state !== 'pending') continue;
    const remaining = task.remaining - options.ended;
    const unlocked = { ...task, remaining, nextAttemptAt: options.now };
    if (remaining > 0) {
      changes.push({ ...unlocked, nextAttemptAt: null });
    } else if (task.kind === 'gate') {
      changes.push({ ...unlocked, state: 'succeeded', nextAttemptAt: null });
      gates.push(task.id);
    } else if (task.kind === 'ticket' && request.state === 'held') {
      // It opens when the request is released.
      changes.push({ ...unlocked, state: 'ready' });
    } else if (task.kind === 'ticket') {
      destroys ||= request.changesSystems;
      changes.push({ ...unlocked, state: 'waiting', nextAttemptAt: null });
      opened.push(ticketOpened(task));
    } else {
      changes.push({ ...unlocked, state: 'ready' });
      due.push(dueAt(task, options.now));
    }
  }
  const counted = withState({
    ...request,
    openTasks: request.openTasks - gates.length,
    destructionStarted: request.destructionStarted || destroys,
  });
  const completed =
    counted.state === 'completed' && request.state !== 'completed' ? [completion(counted)] : [];
  return {
    request: counted,
    tasks: changes,
    due,
    gates,
    facts: [...options.facts, ...opened, ...completed],
  };
}

/** The request ends before its time: nothing that is open is done. */
export function end(
  request: RequestSnapshot,
  options: { readonly open: readonly TaskSnapshot[]; readonly fact: Fact; readonly reason: string },
): Step {
  const tasks = options.open
    .filter((task) => !isEndedTask(task.state))
    .map((task): TaskChange => ({ ...task, state: 'cancelled', nextAttemptAt: null }));
  return change({ ...request, openTasks: 0, blockedTasks: 0 }, [options.fact], {
    tasks,
    reason: options.reason,
  });
}

export function ticketOpened(task: TaskSnapshot): Fact {
  const { key, system, team } = task;
  return { action: 'ticket.opened', subject: task.id, details: { task: key, system, team } };
}

export function completion(request: RequestSnapshot): Fact {
  return { action: 'request.completed', subject: request.id, details: { matched: request.matched } };
}
