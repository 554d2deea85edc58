import type { Systems } from '../connectors/index.ts';
import {
  type Clock,
  type Database,
  deriveKey,
  ERRORS,
  HabeasError,
  type Logger,
  pause,
  type SecretKey,
} from '../foundation/index.ts';
import { approvalTask } from './approval-task.ts';
import { createBlobStore } from './blob-store.ts';
import { changeTask, validateTask, verifyChangeTask } from './change-task.ts';
import { collectTask } from './collect-task.ts';
import type { TaskRef } from './due-tasks.ts';
import { eraseTask, verifyTask } from './erase-task.ts';
import type { TaskError } from './event.ts';
import { holdOnFound } from './holds/legal-holds.ts';
import { createWorkLoader, type LoadedWork } from './load-work.ts';
import { lastKeys, locateTask, readKeys } from './locate-task.ts';
import type { TaskRow } from './neighbourhood.ts';
import type { HeldHere } from './package/held-here.ts';
import type { PackageStorages } from './package/storage.ts';
import { packageTask } from './package-task.ts';
import type { ClaimedTask } from './places.ts';
import { createRegister } from './register/register.ts';
import { type NoteChoice, registerTask } from './register/register-task.ts';
import { resolveTask } from './resolve-task.ts';
import { noteUselessOperation } from './stop-operations.ts';
import type { RequestTables } from './tables.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';
import type { Transitions } from './transitions.ts';

const TROUBLE_MILLISECONDS = 500;

export interface WorkerOptions {
  readonly db: Database;
  readonly transitions: Transitions;
  readonly systems: Systems;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names this process' worker in the rows that it holds. */
  readonly worker: string;
  /** Longest time that one attempt may take. */
  readonly taskTimeoutMilliseconds: number;
  readonly storages: PackageStorages;
  readonly whileMuchIsStreamed: () => void;
  readonly noteChoice?: NoteChoice | undefined;
  readonly heldHere?: HeldHere | undefined;
  readonly packageExpiresMilliseconds: number;
  /** How long nobody is asked after work that a system says the end of by itself, in milliseconds; undefined: it says nothing. */
  readonly patience: (system: string | null) => number | undefined;
  /** Where and with which secret a system may report that an operation ended. */
  readonly callback: (taskId: string) => { readonly url: string; readonly secret: string };
}

/** Runs single tasks. Never throws: whatever goes wrong becomes an event of the task, or is left to the reconciler. */
export interface Worker {
  /** Claims the task and does its work. */
  run(task: TaskRef): Promise<void>;
  /** Does the work of a task that was claimed for this worker, and is in hand. */
  runClaimed(task: ClaimedTask): Promise<void>;
  /** Puts a task in hand that is about to be claimed; the answer puts it down again. */
  takeInHand(taskId: string): () => void;
  /** Tasks that this process has in hand. One that says "running" here and is not among them was lost with its answer. */
  inHand(): readonly string[];
  /** Tasks that this process is about to claim: their rows do not say so yet. */
  claiming(): readonly string[];
  /** Aborts what is running; the tasks are ready again. */
  abort(): void;
}

export function createWorker(options: WorkerOptions): Worker {
  const stopping = new AbortController();
  const running: Running = {
    ...options,
    stopping: stopping.signal,
    loadWork: createWorkLoader(options.db, options.masterKey),
  };

  const claiming = new Set<string>();
  const claim = async (target: TaskRef): Promise<ClaimedTask | undefined> => {
    claiming.add(target.taskId);
    const claimed = await options.transitions
      .apply(target, { type: 'task-claimed' }, { actor: 'system' })
      .finally(() => claiming.delete(target.taskId));
    const [task] = claimed.applied ? claimed.step.tasks : [];
    return task === undefined ? undefined : { ...target, attempt: task.attempt };
  };
  /** The database did not take an event. The row still says "running" or "ready"; the reconciler finds it. */
  const inTrouble = async (error: unknown, { taskId }: TaskRef): Promise<void> => {
    options.logger.error(
      { err: error, task: taskId },
      'a task could not be started or concluded; it will be taken up again',
    );
    // Its place stays taken for a moment, so that a database in trouble is not asked without a pause.
    await pause(TROUBLE_MILLISECONDS, stopping.signal);
  };
  const runClaimed = async (claimed: ClaimedTask): Promise<void> => {
    try {
      await attempt(running, claimed);
    } catch (error) {
      await inTrouble(error, claimed);
    }
  };

  const inHand = new Map<string, number>();
  const takeInHand = (taskId: string): (() => void) => {
    inHand.set(taskId, (inHand.get(taskId) ?? 0) + 1);
    return () => {
      const left = (inHand.get(taskId) ?? 1) - 1;
      if (left > 0) inHand.set(taskId, left);
      else inHand.delete(taskId);
    };
  };
  return {
    takeInHand,
    runClaimed,
    async run(target) {
      // Before the claim, so that no look at the rows can find it claimed and not in hand.
      const putDown = takeInHand(target.taskId);
      try {
        const claimed = await claim(target);
        if (claimed !== undefined) await runClaimed(claimed);
      } catch (error) {
        await inTrouble(error, target);
      } finally {
        putDown();
      }
    },
    inHand: () => [...inHand.keys()],
    claiming: () => [...claiming],
    abort: () => stopping.abort(),
  };
}

type Running = WorkerOptions & {
  readonly stopping: AbortSignal;
  readonly loadWork: ReturnType<typeof createWorkLoader>;
};

async function attempt(options: Running, claimed: ClaimedTask): Promise<void> {
  const loaded = await options.loadWork(claimed);
  // Cancelled or taken over since: nothing was done yet.
  if (loaded === undefined) return;
  const { task } = loaded;
  try {
    await conclude(options, claimed, task, await perform(options, loaded));
  } catch (error) {
    await fail(options, { target: claimed, task, error });
  }
}

async function perform(options: Running, loaded: LoadedWork): Promise<TaskOutcome> {
  const { task, request } = loaded;
  const ref = { organizationId: task.organization_id, requestId: task.request_id };
  const work = await loaded.open();
  const blobs = createBlobStore(options.db, work.key);
  const context: TaskContext = {
    ref,
    request,
    task,
    key: work.key,
    blobs,
    db: options.db,
    clock: options.clock,
    whileMuchIsStreamed: options.whileMuchIsStreamed,
    holdOn: (transaction, identities) =>
      holdOnFound(transaction, { organizationId: ref.organizationId, identities }, options.masterKey),
    askedBefore: work.askedBefore,
    changes: work.changes,
    scope: {
      ...ref,
      idempotencyKey: `${task.id}.${task.generation}`,
      identities: work.identities,
      about: request.about,
      dueTime: request.due_at,
      signal: AbortSignal.any([options.stopping, AbortSignal.timeout(options.taskTimeoutMilliseconds)]),
      operation: task.operation ?? undefined,
      retried: task.attempt > 1 ? true : undefined,
      callback: options.callback(task.id),
      evidenceKey: deriveKey(work.key, 'replaced values'),
      keys: () => readKeys(blobs, ref, work.located),
    },
    lastKeys: lastKeys(blobs, ref, work.located),
    connector: () => options.systems.connector(task.system ?? '', work.inputs ?? null),
  };
  switch (task.kind) {
    case 'resolve':
      return resolveTask(context);
    case 'locate':
      return locateTask(context);
    case 'collect':
      return collectTask(context);
    case 'erase':
      return eraseTask(context);
    case 'verify':
      return request.right_kind === 'erasure' ? verifyTask(context) : verifyChangeTask(context);
    case 'validate':
      return validateTask(context, options.masterKey);
    case 'rectify':
    case 'restrict':
    case 'object':
      return changeTask(context);
    case 'register':
      return registerTask(context, createRegister(options), options.noteChoice);
    case 'package':
      return packageTask(context, {
        storages: options.storages,
        stallMilliseconds: options.taskTimeoutMilliseconds,
        stopping: options.stopping,
        expiresMilliseconds: options.packageExpiresMilliseconds,
        organization: ref.organizationId,
        heldHere: options.heldHere,
      });
    case 'approval':
      return approvalTask(context);
    case 'gate':
    case 'ticket':
      throw new HabeasError('INTERNAL', `A ${task.kind} is not work for a worker.`);
    default:
      return task.kind satisfies never;
  }
}

async function conclude(
  options: WorkerOptions,
  target: TaskRef,
  task: TaskRow,
  outcome: TaskOutcome,
): Promise<void> {
  if (outcome.state === 'pending') {
    await removeAttempt(options.db, target, task);
    const wait = options.patience(task.system) ?? outcome.retryAfterSeconds * 1_000;
    const retryAt = new Date(options.clock.now().getTime() + wait);
    const applied = await options.transitions.apply(
      target,
      { type: 'task-pending', attempt: task.attempt, retryAt, calledBackAt: task.called_back_at },
      { actor: 'system', result: { operation: outcome.operation } },
    );
    if (!applied.applied) await noteUselessOperation(options.db, { ...target, operation: outcome.operation });
    return;
  }
  if (outcome.state === 'not-its-turn') {
    const now = options.clock.now();
    const retryAt = new Date(now.getTime() + turnDelay(now.getTime() - (task.started_at ?? now).getTime()));
    await options.transitions.apply(
      target,
      { type: 'task-pending', attempt: task.attempt, retryAt, calledBackAt: task.called_back_at },
      {
        actor: 'system',
        result: { note: `after ${outcome.after}, which corrects the same person and came first` },
      },
    );
    return;
  }
  if (outcome.state === 'asks') {
    const { rows, above, evidence } = outcome;
    await options.transitions.apply(
      target,
      { type: 'approval-asked', attempt: task.attempt, rows, above },
      { actor: 'system', result: { evidence } },
    );
    return;
  }
  const { also, first } = outcome;
  const applied = await options.transitions.apply(
    target,
    { type: 'task-succeeded', attempt: task.attempt, matched: outcome.matched },
    {
      actor: 'system',
      result: outcome.result,
      ...(also === undefined ? {} : { also: (transaction) => also(transaction) }),
      ...(first === undefined ? {} : { first: (transaction) => first(transaction) }),
    },
  );
  // Cancelled or taken over meanwhile: what this attempt stored belongs to nobody.
  if (!applied.applied) await removeAttempt(options.db, target, task);
}

const SHORTEST_TURN_MILLISECONDS = 1_000;
const LONGEST_TURN_MILLISECONDS = 600_000;

/** How long a task that is not its turn rests before it looks again: longer the longer it has waited, in milliseconds. */
function turnDelay(waited: number): number {
  return Math.min(Math.max(waited / 10, SHORTEST_TURN_MILLISECONDS), LONGEST_TURN_MILLISECONDS);
}

async function removeAttempt(db: Database, target: TaskRef, task: TaskRow): Promise<void> {
  const names = ['keys', 'items'].map((kind) => `${kind}/${task.id}/${task.attempt}`);
  await db
    .withTables<RequestTables>()
    .deleteFrom('request_blobs')
    .where('organization_id', '=', target.organizationId)
    .where('request_id', '=', target.requestId)
    .where('blob', 'in', names)
    .execute();
}

async function fail(
  options: Running,
  failed: { readonly target: TaskRef; readonly task: TaskRow; readonly error: unknown },
): Promise<void> {
  const { target, task } = failed;
  // What the attempt stored belongs to nobody: the next one begins anew.
  await removeAttempt(options.db, target, task);
  if (options.stopping.aborted) {
    // The server stops; the attempt says nothing about the system.
    await options.transitions.apply(
      target,
      { type: 'task-lost', attempt: task.attempt, died: false },
      { actor: 'system' },
    );
    return;
  }
  const error = failed.error instanceof HabeasError ? failed.error : unexpected(failed.error);
  if (!(failed.error instanceof HabeasError)) {
    options.logger.error(
      { err: failed.error, task: task.id, system: task.system },
      'a task failed in a way that nobody foresaw; it is tried again',
    );
  }
  await options.transitions.apply(
    target,
    {
      type: 'task-failed',
      attempt: task.attempt,
      error: describe(error),
      retryable: error.retryable,
    },
    { actor: 'system' },
  );
}

/** Foreign errors may quote data, so their text stays in the cause. A time-out of ours is told apart. */
function unexpected(error: unknown): HabeasError {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new HabeasError('SYSTEM_TIMEOUT', 'The task took longer than one attempt may take.', {
      cause: error,
      retryable: true,
    });
  }
  return new HabeasError('INTERNAL', `${ERRORS.INTERNAL.title}.`, { cause: error, retryable: true });
}

function describe(error: HabeasError): TaskError {
  const missing = error.details.filter((detail) => !error.message.includes(detail));
  const text = [error.message, ...missing].join('\n').replaceAll('\0', ' ');
  return { code: error.code, message: text.slice(0, 4_000).toWellFormed() };
}
