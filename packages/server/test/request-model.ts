import {
  type Event,
  type Neighbourhood,
  type RequestSnapshot,
  type Step,
  step,
  type TaskSnapshot,
} from '../src/requests/step.ts';

export interface ModelTask {
  readonly key: string;
  readonly kind: TaskSnapshot['kind'];
  readonly dependsOn: readonly string[];
}

/** A whole request in memory, changed by `step` alone, the way the database is: for properties and exhaustive search. */
export class RequestModel {
  request: RequestSnapshot;
  readonly tasks: Map<string, TaskSnapshot>;
  readonly plan: readonly ModelTask[];
  readonly facts: string[] = [];

  constructor(plan: readonly ModelTask[], dryRun = false) {
    this.plan = plan;
    this.request = {
      id: 'req_1',
      state: 'received',
      erases: !dryRun,
      heldFrom: null,
      openTasks: 0,
      blockedTasks: 0,
      destructionStarted: false,
      matched: null,
    };
    this.tasks = new Map(
      plan.map((task) => [
        task.key,
        {
          id: task.key,
          key: task.key,
          kind: task.kind,
          system: null,
          state: 'pending',
          remaining: task.dependsOn.length,
          attempt: 0,
          failures: 0,
          generation: 1,
        },
      ]),
    );
  }

  apply(event: Event, taskKey?: string): Step | undefined {
    const outcome = step(this.neighbourhood(event, taskKey), event, {
      now: new Date('2026-01-01T00:00:00Z'),
      retry: { maxFailures: 3, firstDelayMilliseconds: 1, longestDelayMilliseconds: 10 },
      random: 0.5,
    });
    if ('refused' in outcome) return undefined;
    this.request = outcome.request;
    for (const { nextAttemptAt: _, error: __, ...task } of outcome.tasks) this.tasks.set(task.key, task);
    this.facts.push(...outcome.facts.map((fact) => fact.action));
    for (const gate of outcome.gates) this.apply({ type: 'gate-opened' }, gate);
    return outcome;
  }

  private neighbourhood(event: Event, taskKey: string | undefined): Neighbourhood {
    const all = [...this.tasks.values()];
    const dependents = () =>
      this.plan
        .filter((task) => taskKey !== undefined && task.dependsOn.includes(taskKey))
        .map((task) => this.task(task.key));
    const others = (): readonly TaskSnapshot[] => {
      switch (event.type) {
        case 'planned':
        case 'wait-over':
          return all.filter((task) => task.remaining === 0 && task.state === 'pending');
        case 'released':
          return all.filter((task) => task.state === 'ready');
        case 'rejected':
        case 'cancelled':
          return all.filter((task) => !['succeeded', 'skipped', 'cancelled'].includes(task.state));
        case 'task-succeeded':
        case 'task-skipped':
        case 'gate-opened':
          return dependents();
        default:
          return [];
      }
    };
    const system = taskKey?.split(':')[1];
    return {
      request: this.request,
      task: taskKey === undefined ? undefined : this.task(taskKey),
      others: others(),
      companions:
        event.type === 'task-retried' && taskKey?.startsWith('verify:')
          ? all.filter((task) => task.key === `locate:${system}` || task.key === `erase:${system}`)
          : [],
    };
  }

  task(key: string): TaskSnapshot {
    const found = this.tasks.get(key);
    if (found === undefined) throw new Error(`the model has no task ${key}`);
    return found;
  }

  /** What must hold in every state; the text says what does not. */
  violations(): string[] {
    const wrong: string[] = [];
    const ended = (task: TaskSnapshot) => ['succeeded', 'skipped', 'cancelled'].includes(task.state);
    const all = [...this.tasks.values()];
    const planned = this.request.state !== 'received';
    const open = all.filter((task) => !ended(task)).length;
    if (planned && this.request.openTasks !== open)
      wrong.push(`openTasks says ${this.request.openTasks}, there are ${open}`);
    const blocked = all.filter((task) => task.state === 'blocked').length;
    if (this.request.blockedTasks !== blocked)
      wrong.push(`blockedTasks says ${this.request.blockedTasks}, there are ${blocked}`);
    for (const { key, dependsOn } of this.plan) {
      const task = this.task(key);
      // A gate stays open when a person has a system located again: its keys were stored before anything was destroyed.
      const again = (dependency: string) => task.kind === 'gate' && this.task(dependency).generation > 1;
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
}

export const ERASURE_PLAN: readonly ModelTask[] = [
  { key: 'resolve:a', kind: 'resolve', dependsOn: [] },
  { key: 'gate:identities', kind: 'gate', dependsOn: ['resolve:a'] },
  { key: 'locate:a', kind: 'locate', dependsOn: ['gate:identities'] },
  { key: 'gate:keys', kind: 'gate', dependsOn: ['gate:identities', 'locate:a'] },
  { key: 'erase:a', kind: 'erase', dependsOn: ['gate:keys', 'locate:a'] },
  { key: 'verify:a', kind: 'verify', dependsOn: ['erase:a'] },
  { key: 'ticket:b', kind: 'ticket', dependsOn: ['gate:keys'] },
];
