import type { DueTask, TaskRef } from './due-tasks.ts';

/** A task that a worker of this process claimed, and the number of its attempt. */
export interface ClaimedTask extends TaskRef {
  readonly attempt: number;
}

/** Room for one task. */
export interface Place {
  /** Begins the task: its claim is committed. */
  begin(task: ClaimedTask): void;
  /** The claim was not committed. */
  giveBack(): void;
}

/** The room that this process has for tasks, so that what becomes due can be claimed by the very change that makes it due. */
export interface Places {
  /** undefined where all places are taken, or others wait for one already. */
  take(task: DueTask): Place | undefined;
  /** Tasks that became due by a change of this process and are not claimed. */
  offer(due: readonly DueTask[]): void;
}
