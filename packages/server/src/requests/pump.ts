import type { Logger } from '../foundation/index.ts';
import type { TaskRef } from './due-tasks.ts';

export interface PumpOptions {
  /** Most tasks at once in this process. */
  readonly concurrency: number;
  /** Up to so many tasks that are due and that nobody here has in hand. */
  readonly due: (limit: number) => Promise<readonly TaskRef[]>;
  readonly run: (task: TaskRef) => Promise<void>;
  readonly logger: Logger;
}

/** Keeps up to `concurrency` tasks of one system running. Asks the database only when it was woken or may find more. */
export interface Pump {
  wake(): void;
  /** A task that is surely due: it is begun without asking, if there is a place for it. */
  offer(task: TaskRef): void;
  /** A place for a task that is about to be claimed; undefined where none is free, or others wait for one. */
  take(): PumpPlace | undefined;
  /** Begins no more tasks and waits for the running ones. */
  stop(): Promise<void>;
}

/** Is taken until the work has ended, or it is given back. */
export interface PumpPlace {
  fill(work: Promise<void>): void;
  giveBack(): void;
}

export function createPump(options: PumpOptions): Pump {
  const running = new Set<Promise<void>>();
  let stopped = false;
  /** There may be tasks that this pump has not seen. */
  let more = false;
  let looking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    while (more && !stopped) {
      const free = options.concurrency - running.size;
      if (free <= 0) return;
      more = false;
      const tasks = await options.due(free);
      if (tasks.length === free || tasks.length > options.concurrency - running.size) more = true;
      if (stopped) return;
      // Places may have been taken meanwhile, by tasks that were offered.
      for (const task of tasks.slice(0, options.concurrency - running.size)) run(task);
    }
  };
  const hold = (work: Promise<void>): void => {
    const held = work.finally(() => {
      running.delete(held);
      if (more) begin();
    });
    running.add(held);
  };
  const run = (task: TaskRef): void => hold(options.run(task));
  const begin = (): void => {
    looking ??= look()
      .catch((error: unknown) =>
        options.logger.warn({ err: error }, 'what is due could not be read; it is looked at again'),
      )
      .finally(() => {
        looking = undefined;
        if (more && !stopped && running.size < options.concurrency) begin();
      });
  };

  return {
    wake() {
      more = true;
      begin();
    },
    offer(task) {
      if (stopped) return;
      if (running.size < options.concurrency) run(task);
      else more = true;
    },
    take() {
      if (stopped || more || running.size >= options.concurrency) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      hold(promise);
      return { fill: (work) => resolve(work), giveBack: () => resolve() };
    },
    async stop() {
      stopped = true;
      await looking;
      await Promise.all(running);
    },
  };
}
