import { type Clock, createGroup, type Database, HabeasError } from '../foundation/index.ts';
import type { RetryRules } from './back-off.ts';
import type { Refusal, Step } from './change.ts';
import { claimAtOnce } from './claim-at-once.ts';
import { concludeRequests } from './conclude-requests.ts';
import { announce, type DueTask } from './due-tasks.ts';
import type { Event } from './event.ts';
import { type EventTarget, type LoadedNeighbourhood, loadNeighbourhoods } from './neighbourhood.ts';
import { openGates } from './open-gates.ts';
import type { ClaimedTask, Place, Places } from './places.ts';
import { type StepToSave, saveSteps, type TaskResult } from './save-steps.ts';
import { isEnded } from './snapshot.ts';
import { step } from './step.ts';
import type { StepContext } from './step-task.ts';

export interface ApplyOptions {
  readonly actor: string;
  readonly result?: TaskResult;
  /** More to write in the same transaction. */
  readonly also?: (transaction: Database) => Promise<void>;
  /** An event that comes before this one, in the same transaction and after `also`; undefined: none does. */
  readonly first?: (transaction: Database) => Promise<Event | undefined>;
}

export type Applied =
  | { readonly applied: true; readonly step: Step; readonly before: LoadedNeighbourhood }
  | ({ readonly applied: false } & Refusal);

export interface TransitionsOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly retry: RetryRules;
  /** In [0, 1). */
  readonly random: () => number;
  readonly forgetAfterMilliseconds: number;
  /** Names this process in the tasks that it claims, and in notices, so that it does not heed its own. */
  readonly worker: string;
  readonly places: Places;
}

export type SaveSteps = (steps: readonly StepToSave[]) => Promise<void>;

/** The only way in which a request or a task changes: one event, one step, in one transaction with all that follows from it. */
export interface Transitions {
  /** Throws NOT_FOUND if the request or task does not exist in the organization. Events that come together share a transaction. */
  apply(target: EventTarget, event: Event, options: ApplyOptions): Promise<Applied>;
  /**
   * A transaction that may save steps that were computed already, such as the first one of a request that is being inserted. What
   * becomes due by them begins when it is committed.
   */
  transact<Result>(work: (transaction: Database, save: SaveSteps) => Promise<Result>): Promise<Result>;
}

/** More members would make each wait longer without making the group cheaper. */
const GROUP_LIMIT = 64;

interface Pending extends ApplyOptions {
  readonly target: EventTarget;
  readonly event: Event;
}

export function createTransitions(options: TransitionsOptions): Transitions {
  const context = () => ({ now: options.clock.now(), retry: options.retry, random: options.random() });

  /** What follows from one transaction once it is committed. */
  interface Aftermath {
    readonly due: DueTask[];
    readonly claimed: { readonly task: ClaimedTask; readonly place: Place }[];
  }

  const withClaims = (saved: StepToSave, aftermath: Aftermath): StepToSave => {
    const { organizationId, requestId } = saved.target;
    const places = new Map<string, Place>();
    const take = (due: Step['due'][number]): boolean => {
      const place = options.places.take({ ...due, organizationId, requestId });
      if (place !== undefined) places.set(due.taskId, place);
      return place !== undefined;
    };
    const { step, facts, claimed } = claimAtOnce(saved.step, context(), take);
    for (const { taskId, attempt } of claimed) {
      const place = places.get(taskId);
      if (place === undefined) continue;
      aftermath.claimed.push({ task: { organizationId, requestId, taskId, attempt }, place });
    }
    return { ...saved, step, claims: facts };
  };

  const save = async (
    transaction: Database,
    made: readonly StepToSave[],
    aftermath: Aftermath,
  ): Promise<void> => {
    if (made.length === 0) return;
    const opened = await openGates(transaction, made, context());
    const steps = opened.map((saved) => withClaims(saved, aftermath));
    await saveSteps(transaction, steps, {
      now: options.clock.now(),
      forgetAfterMilliseconds: options.forgetAfterMilliseconds,
      worker: options.worker,
    });
    const due = steps.flatMap(({ target, step }) =>
      step.due.map(
        (task): DueTask => ({ ...task, organizationId: target.organizationId, requestId: target.requestId }),
      ),
    );
    aftermath.due.push(...due);
    await announce(transaction, due, { now: options.clock.now(), worker: options.worker });
    const ended = steps.filter(
      ({ before, step }) => isEnded(step.request.state) && !isEnded(before.request.state),
    );
    await concludeRequests(
      transaction,
      ended.map(({ target }) => target),
      options.clock.now(),
    );
  };

  const applyAll = async (
    transaction: Database,
    pending: readonly Pending[],
    aftermath: Aftermath,
  ): Promise<readonly (Applied | undefined)[]> => {
    const loaded = await loadNeighbourhoods(transaction, pending);
    const steps: StepToSave[] = [];
    const results: (Applied | undefined)[] = [];
    for (const [index, { target, event, also, first: ask, actor, result }] of pending.entries()) {
      const before = loaded[index];
      if (before === undefined) {
        results.push(undefined);
        continue;
      }
      const outcome = step(before, event, context());
      if ('refused' in outcome) {
        results.push({ applied: false, ...outcome });
        continue;
      }
      await also?.(transaction);
      const first = await ask?.(transaction);
      const made =
        first === undefined ? outcome : precede(before, { first, event, outcome, context: context() });
      steps.push({ target, before, step: made, actor, result: result ?? {} });
      results.push({ applied: true, step: made, before });
    }
    await save(transaction, steps, aftermath);
    return results;
  };

  const inTransaction = async <Result>(
    work: (transaction: Database, aftermath: Aftermath) => Promise<Result>,
  ): Promise<Result> => {
    const aftermath: Aftermath = { due: [], claimed: [] };
    let result: Result;
    try {
      result = await options.db.transaction().execute((transaction) => work(transaction, aftermath));
    } catch (error) {
      for (const { place } of aftermath.claimed) place.giveBack();
      throw error;
    }
    for (const { task, place } of aftermath.claimed) place.begin(task);
    options.places.offer(aftermath.due);
    return result;
  };

  const grouped = createGroup<Pending, Applied | undefined>({
    limit: GROUP_LIMIT,
    keyOf: ({ target }) => `${target.organizationId}/${target.requestId}`,
    run: (pending) => inTransaction((transaction, aftermath) => applyAll(transaction, pending, aftermath)),
  });

  return {
    transact: (work) =>
      inTransaction((transaction, aftermath) =>
        work(transaction, (steps) => save(transaction, steps, aftermath)),
      ),
    async apply(target, event, apply) {
      const applied = await grouped({ ...apply, target, event });
      if (applied === undefined) {
        throw new HabeasError(
          'NOT_FOUND',
          target.taskId === undefined
            ? `There is no request ${target.requestId}.`
            : `There is no task ${target.taskId} of request ${target.requestId}.`,
        );
      }
      return applied;
    },
  };
}

/** The step of an event that another one comes before, in one. */
function precede(
  before: LoadedNeighbourhood,
  of: { readonly first: Event; readonly event: Event; readonly outcome: Step; readonly context: StepContext },
): Step {
  const first = step(before, of.first, of.context);
  if ('refused' in first) return of.outcome;
  const second = step({ ...before, request: first.request }, of.event, of.context);
  if ('refused' in second) return of.outcome;
  return { ...first, ...second, facts: [...first.facts, ...second.facts] };
}
