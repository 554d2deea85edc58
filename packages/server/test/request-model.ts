import type { Step } from '../src/requests/change.ts';
import { claimAtOnce } from '../src/requests/claim-at-once.ts';
import {
  type Event,
  mayRedo,
  type Neighbourhood,
  type RedoneTask,
  type TaskError,
} from '../src/requests/event.ts';
import { passGate } from '../src/requests/pass-gate.ts';
import { isChanging } from '../src/requests/rights.ts';
import { isEndedTask, type RequestSnapshot, type TaskSnapshot } from '../src/requests/snapshot.ts';
import { step } from '../src/requests/step.ts';
import type { StepContext } from '../src/requests/step-task.ts';

export interface ModelTask {
  readonly key: string;
  readonly kind: TaskSnapshot['kind'];
  readonly dependsOn: readonly string[];
}

export interface ModelState {
  readonly request: RequestSnapshot;
  readonly tasks: readonly TaskSnapshot[];
  /** The state machine. (Default: the real one) */
  readonly stepBy?: typeof step | undefined;
}

function beginningOf({ key, kind, dependsOn }: ModelTask): TaskSnapshot {
  return {
    id: key,
    key,
    kind,
    system: key.split(':')[1] ?? null,
    team: null,
    state: 'pending',
    remaining: dependsOn.length,
    attempt: 0,
    failures: 0,
    errorCode: null,
    generation: 1,
    nextAttemptAt: null,
    calledBackAt: null,
    reportsFrom: null,
  };
}

/** A whole request in memory, changed by `step` alone, the way the database is: for properties and exhaustive search. */
export class RequestModel {
  request: RequestSnapshot;
  readonly tasks: Map<string, TaskSnapshot>;
  readonly plan: readonly ModelTask[];
  readonly facts: string[] = [];
  /** When each task was started and ended last, counted in steps. */
  private readonly started = new Map<string, number>();
  private readonly ended = new Map<string, number>();
  private steps = 0;
  /** Whether a worker has a place for a task that becomes due. */
  takes: (key: string) => boolean = () => false;
  /** Whether gates are passed with the step that opens them, as the server does. (Default: by events of their own) */
  passesGatesAtOnce = false;
  private readonly stepBy: typeof step;

  constructor(plan: readonly ModelTask[], dryRun = false, from?: ModelState) {
    this.plan = plan;
    this.stepBy = from?.stepBy ?? step;
    this.request = from?.request ?? {
      id: 'req_1',
      state: 'received',
      changesSystems: !dryRun,
      heldFrom: null,
      openTasks: 0,
      blockedTasks: 0,
      destructionStarted: false,
      matched: null,
    };
    this.tasks = new Map((from?.tasks ?? plan.map(beginningOf)).map((task) => [task.key, task]));
  }

  /** A request that has come so far. */
  static at(plan: readonly ModelTask[], state: ModelState): RequestModel {
    return new RequestModel(plan, false, state);
  }

  apply(
    event: Event,
    taskKey?: string,
    { now, ...retry }: { readonly maxFailures?: number; readonly now?: Date } = {},
  ): Step | undefined {
    const context = {
      // Time passes, so that what backs off becomes due.
      now: now ?? new Date(Date.UTC(2026, 0, 1, 0, 0, this.steps)),
      retry: { maxFailures: 3, firstDelayMilliseconds: 1, longestDelayMilliseconds: 10, ...retry },
      random: 0.5,
    };
    const made = this.stepBy(this.neighbourhood(event, taskKey), event, context);
    if ('refused' in made) return undefined;
    const opened = this.passesGatesAtOnce ? this.passGates(made, context) : made;
    const outcome = claimAtOnce(opened, context, ({ taskId }) => this.takes(taskId)).step;
    this.request = outcome.request;
    for (const { error: _, forgetsOperation: __, forgetsEvidence: ___, ...task } of outcome.tasks)
      this.tasks.set(task.key, task);
    this.steps += 1;
    for (const { key, state } of outcome.tasks) {
      if (state === 'running') this.started.set(key, this.steps);
      if (isEndedTask(state)) this.ended.set(key, this.steps);
    }
    this.facts.push(...outcome.facts.map((fact) => fact.action));
    for (const gate of outcome.gates) this.apply({ type: 'gate-opened' }, gate);
    return outcome;
  }

  /** Does the nth of the tasks that can be done, counted round; a verification finds something if `finds` says so. */
  work(nth: number, finds?: TaskError): void {
    const due = [...this.tasks.values()].filter((task) =>
      ['ready', 'waiting', 'running'].includes(task.state),
    );
    const task = due[nth % due.length];
    if (task === undefined) return;
    this.apply({ type: 'task-claimed' }, task.key);
    const { attempt } = this.task(task.key);
    if (finds !== undefined && task.kind === 'verify')
      this.apply({ type: 'task-failed', attempt, error: finds, retryable: false }, task.key);
    else this.apply({ type: 'task-succeeded', attempt, matched: null }, task.key);
  }

  private passGates(made: Step, context: StepContext): Step {
    let opened = made;
    for (let [gate] = opened.gates; gate !== undefined; [gate] = opened.gates) {
      const others = this.dependentsOf(gate);
      opened = passGate({ ...opened, gates: opened.gates.slice(1) }, { gate, others, context });
    }
    return opened;
  }

  private dependentsOf(key: string | undefined): readonly TaskSnapshot[] {
    return this.plan
      .filter((task) => key !== undefined && task.dependsOn.includes(key))
      .map((task) => this.task(task.key));
  }

  private neighbourhood(event: Event, taskKey: string | undefined): Neighbourhood {
    const all = this.isPlanned() || event.type === 'planned' ? [...this.tasks.values()] : [];
    const others = (): readonly TaskSnapshot[] => {
      switch (event.type) {
        case 'planned':
        case 'wait-over':
          return all.filter((task) => task.remaining === 0 && task.state === 'pending');
        case 'approved':
          return all.filter(
            ({ key, kind, state }) =>
              (kind === 'approval' && state === 'waiting') ||
              this.plan.some((task) => task.key === key && task.dependsOn.includes('approval')),
          );
        case 'released':
        case 'legal-hold-lifted':
          return all.filter((task) => task.state === 'ready');
        case 'rejected':
        case 'cancelled':
          return all.filter((task) => !isEndedTask(task.state));
        case 'task-succeeded':
        case 'task-skipped':
        case 'gate-opened':
          return this.dependentsOf(taskKey);
        case 'task-reported':
          return event.status === 'completed' ? this.dependentsOf(taskKey) : [];
        default:
          return [];
      }
    };
    const task = taskKey === undefined ? undefined : this.task(taskKey);
    const redo = task?.kind === 'verify' && mayRedo(event) ? this.redo(task.system) : [];
    return { request: this.request, task, others: others(), redo };
  }

  /** What the database gives: the system's `locate`, the task that erases or changes it, and all that comes after that. */
  private redo(system: string | null): readonly RedoneTask[] {
    const acts = this.plan.filter(
      ({ key, kind }) => isChanging(kind) && kind !== 'register' && this.task(key).system === system,
    );
    const later = new Set(acts.map(({ key }) => key));
    for (const { key, kind, dependsOn } of this.plan)
      if (['gate', 'verify', 'register'].includes(kind) && dependsOn.some((one) => later.has(one)))
        later.add(key);
    return this.plan
      .filter(({ key }) => later.has(key) || key === `locate:${system}`)
      .map(({ key, dependsOn }) => ({
        ...this.task(key),
        dependsOn: dependsOn.map((id) => ({ id, ended: isEndedTask(this.task(id).state) })),
      }));
  }

  task(key: string): TaskSnapshot {
    const found = this.tasks.get(key);
    if (found === undefined) throw new Error(`the model has no task ${key}`);
    return found;
  }

  /** Before it is planned, a request has no tasks. */
  private isPlanned(): boolean {
    return this.request.openTasks > 0 || [...this.tasks.values()].some(({ state }) => state !== 'pending');
  }

  /** What must hold on every way; the text says what does not. */
  violations(): readonly string[] {
    const early = this.request.state === 'completed' ? this.readTooEarly() : [];
    return [...this.wrongState(), ...early];
  }

  /** What must hold in every state, however it was reached. */
  wrongState(): readonly string[] {
    const wrong: string[] = [];
    const ended = (task: TaskSnapshot) => isEndedTask(task.state);
    const all = [...this.tasks.values()];
    const planned = this.isPlanned();
    const open = all.filter((task) => !ended(task)).length;
    if (planned && this.request.openTasks !== open)
      wrong.push(`openTasks says ${this.request.openTasks}, there are ${open}`);
    const blocked = all.filter((task) => task.state === 'blocked').length;
    if (this.request.blockedTasks !== blocked)
      wrong.push(`blockedTasks says ${this.request.blockedTasks}, there are ${blocked}`);
    for (const { key, dependsOn } of this.plan) {
      const task = this.task(key);
      // These stay open when a system is located again: the keys were stored before anything was destroyed.
      const again = (dependency: string) =>
        (key === 'gate:keys' || key === 'approval') && this.task(dependency).generation > 1;
      const unmet = dependsOn.filter((dependency) => !ended(this.task(dependency)) && !again(dependency));
      if (['ready', 'running', 'waiting', 'blocked', 'succeeded'].includes(task.state) && unmet.length > 0)
        wrong.push(`${key} is ${task.state} before ${unmet.join(', ')}`);
      if (task.state === 'pending' && unmet.length === 0 && this.request.destructionStarted)
        wrong.push(`${key} is forgotten`);
    }
    if (this.request.state === 'completed' && open > 0) wrong.push('completed with open tasks');
    if (this.request.state === 'cancelled' && this.request.destructionStarted)
      wrong.push('cancelled after destruction began');
    return wrong;
  }

  /** Last readings that began before something was erased: what they did not find may have come back since. */
  private readTooEarly(): string[] {
    const erased = this.plan
      .filter(
        ({ key, kind }) => (kind === 'erase' || kind === 'ticket') && this.task(key).state === 'succeeded',
      )
      .map(({ key }) => this.ended.get(key) ?? 0);
    const last = Math.max(0, ...erased);
    return this.plan
      .filter(({ key }) => key.startsWith('confirm:') && this.task(key).state === 'succeeded')
      .filter(({ key }) => (this.started.get(key) ?? 0) <= last)
      .map(({ key }) => `${key} was read before the last erasure ended`);
  }
}

export const ERASURE_PLAN: readonly ModelTask[] = [
  { key: 'resolve:a', kind: 'resolve', dependsOn: [] },
  { key: 'gate:identities', kind: 'gate', dependsOn: ['resolve:a'] },
  { key: 'locate:a', kind: 'locate', dependsOn: ['gate:identities'] },
  { key: 'gate:keys', kind: 'gate', dependsOn: ['gate:identities', 'locate:a'] },
  { key: 'erase:a', kind: 'erase', dependsOn: ['gate:keys', 'locate:a'] },
  { key: 'erase:c', kind: 'erase', dependsOn: ['gate:keys'] },
  { key: 'ticket:b', kind: 'ticket', dependsOn: ['gate:keys'] },
  { key: 'verify:a', kind: 'verify', dependsOn: ['erase:a'] },
  { key: 'verify:c', kind: 'verify', dependsOn: ['erase:c'] },
  { key: 'gate:erased', kind: 'gate', dependsOn: ['erase:a', 'erase:c', 'ticket:b'] },
  { key: 'confirm:a', kind: 'verify', dependsOn: ['verify:a', 'gate:erased'] },
  { key: 'confirm:c', kind: 'verify', dependsOn: ['verify:c', 'gate:erased'] },
];
