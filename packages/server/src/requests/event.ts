import type { RequestSnapshot, TaskSnapshot } from './snapshot.ts';

/**
 * How it was proved who asks: codes to their addresses, their own sign-in, the organization's back end, an officer, or the partner that
 * asked for them.
 */
export type Proof = 'codes' | 'sign-in' | 'questions' | 'officer' | 'partner';

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
      /** Legal holds that cover it: it stops before it starts. (Default: none) */
      readonly legalHolds?: readonly string[];
    }
  /** A legal hold covers it: nothing may be destroyed before that is lifted. */
  | { readonly type: 'legal-hold-placed' | 'legal-hold-lifted'; readonly hold: string }
  | { readonly type: 'wait-over' | 'released' }
  | { readonly type: 'approved'; readonly by: string }
  /** Nobody vouches for who asks: it waits until that is proved. */
  | { readonly type: 'verification-asked' }
  | { readonly type: 'verified'; readonly by: Proof; readonly reason: string | null }
  /** Who asked did not prove it in time. */
  | { readonly type: 'expired' }
  /** The same person already has such a request under way; seen only after the proof. */
  | { readonly type: 'merged'; readonly into: string }
  | { readonly type: 'rejected' | 'cancelled' | 'held'; readonly reason: string };

export type TaskEvent =
  | { readonly type: 'task-claimed' }
  | { readonly type: 'task-succeeded'; readonly attempt: number; readonly matched: boolean | null }
  | {
      readonly type: 'task-pending';
      readonly attempt: number;
      readonly retryAt: Date;
      /** The newest report of the system when the attempt began: a newer one came in the middle, so its answer is there. */
      readonly calledBackAt: Date | null;
    }
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
  /** The system said by an event of its own how the work ended. */
  | {
      readonly type: 'task-reported';
      readonly status: 'completed' | 'failed';
      /** When it ended, by the system's clock. */
      readonly at: Date;
      /** Of the operation that it names; null: it names none. */
      readonly generation: number | null;
    }
  /** More rows were found than one person may have destroyed. */
  | {
      readonly type: 'approval-asked';
      readonly attempt: number;
      readonly rows: number;
      /** The policy's count. */
      readonly above: number;
    }
  | { readonly type: 'gate-opened' };

export type Event = RequestEvent | TaskEvent;

/** Whether a verification failed because the system does not say what it has to: what had to go is there, or a change is not. */
export function isUndone(code: string | null): boolean {
  return code === 'STILL_READABLE' || code === 'NOT_APPLIED';
}

/** A task that is done again when a verification found that an erasure or a change does not hold. */
export interface RedoneTask extends TaskSnapshot {
  readonly dependsOn: readonly { readonly id: string; readonly ended: boolean }[];
}

/** The part of a request that one event can touch. What is not listed here does not change. */
export interface Neighbourhood {
  readonly request: RequestSnapshot;
  /** The task of a task event. */
  readonly task?: TaskSnapshot | undefined;
  /**
   * For an event that ends the task: the tasks that depend on it. For an event that starts the request: the tasks that
   * wait for nothing. For `approved`: the task that waits for it, if there is one, and those that depend on that. For `released`: the tasks that are ready. For `rejected` and `cancelled`: the tasks that are open.
   */
  readonly others: readonly TaskSnapshot[];
  /**
   * For an event after which a verification may have its system acted on again (see {@link mayRedo}): the system's `locate` and
   * the task that erases or changes it, and everything that comes after that task, directly or not.
   */
  readonly redo?: readonly RedoneTask[];
}

/** Whether the event can lead to another erasure or change of the task's system. */
export function mayRedo(event: Event): boolean {
  if (event.type === 'task-retried') return true;
  return event.type === 'task-failed' && isUndone(event.error.code);
}
