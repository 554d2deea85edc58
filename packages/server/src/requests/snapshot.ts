import type { api } from '@habeas/contract';

/** What the state machine needs to know of a request. */
export interface RequestSnapshot {
  readonly id: string;
  readonly state: api.RequestState;
  /** Whether it leaves systems other than they were; a reading or a dry run does not. */
  readonly changesSystems: boolean;
  /** The state that `released` goes back to; null unless held. */
  readonly heldFrom: api.RequestState | null;
  /** Legal holds that it is under; with `person` among them, a person holds it as well. (Default: none) */
  readonly legalHolds?: readonly string[];
  /** The approval that it waits for, or had last. (Default: nobody was asked) */
  readonly approval?: Approval | null;
  /** Tasks that have not ended, blocked ones included. */
  readonly openTasks: number;
  readonly blockedTasks: number;
  /** Whether a task that changes a system was ever started: from then on a request cannot be cancelled. */
  readonly destructionStarted: boolean;
  readonly matched: boolean | null;
}

export interface Approval {
  /** How many different people have to approve. */
  readonly needed: number;
  /** Who did, as the audit log names them. */
  readonly given: readonly string[];
}

/** What the state machine needs to know of a task. */
export interface TaskSnapshot {
  readonly id: string;
  readonly key: string;
  readonly kind: api.TaskKind;
  /** The system that it acts on; null for gates and packages. */
  readonly system: string | null;
  /** Who answers for the system; null for gates and packages. */
  readonly team: string | null;
  readonly state: api.TaskState;
  /** How many tasks that this one depends on have not ended. */
  readonly remaining: number;
  /** Counts every start; an answer that names another attempt is stale and changes nothing. */
  readonly attempt: number;
  /** Failures in a row since the last success or the last retry by a person. */
  readonly failures: number;
  /** The code of the last failure; null after a success. */
  readonly errorCode: string | null;
  /** Counts how often it was done anew; part of the idempotency key. */
  readonly generation: number;
  /** From when on it may start, for a ready task, or is asked after, for one that waits; the queue is in this order. */
  readonly nextAttemptAt: Date | null;
  /** When the newest report of its system that an operation ended was sent. */
  readonly calledBackAt: Date | null;
  /** Reports of its system from before are about a former operation; null: every report counts. */
  readonly reportsFrom: Date | null;
}

/** Requests whose tasks are worked on. */
export function isStarted(state: api.RequestState): boolean {
  return state === 'running' || state === 'blocked';
}

const ENDED: readonly api.RequestState[] = ['completed', 'rejected', 'cancelled', 'expired'];

export function isEnded(state: api.RequestState): boolean {
  return ENDED.includes(state);
}

export function isEndedTask(state: api.TaskState): boolean {
  return state === 'succeeded' || state === 'skipped' || state === 'cancelled';
}
