import type { Logger } from '../foundation/index.ts';
import type { TaskJob, TaskQueue } from './task-queue.ts';

/** Without a wake-up a queue is looked at this often; it is the floor of correctness, not the usual way. */
const IDLE_MILLISECONDS = 2_000;

export interface PumpOptions {
  readonly queue: string;
  /** Most tasks of this queue at once in this process. */
  readonly concurrency: number;
  readonly tasks: TaskQueue;
  readonly run: (job: TaskJob) => Promise<void>;
  readonly logger: Logger;
}

/** Keeps up to `concurrency` tasks of one queue running: takes as many jobs as there are free places, never more. */
export interface Pump {
  wake(): void;
  /** Takes no more jobs and waits for the running ones. */
  stop(): Promise<void>;
}

export function startPump(options: PumpOptions): Pump {
  const running = new Set<Promise<void>>();
  let stopping = false;
  let woken = false;
  let wakeUp: (() => void) | undefined;

  const wake = (): void => {
    woken = true;
    wakeUp?.();
  };
  const idle = async (): Promise<void> => {
    if (woken) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wakeUp = resolve;
      timer = setTimeout(resolve, IDLE_MILLISECONDS);
    });
    clearTimeout(timer);
    wakeUp = undefined;
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      woken = false;
      const free = options.concurrency - running.size;
      let taken = 0;
      if (free > 0) {
        try {
          const jobs = await options.tasks.take(options.queue, free);
          taken = jobs.length;
          for (const job of jobs) {
            const work = options.run(job).finally(() => {
              running.delete(work);
              wake();
            });
            running.add(work);
          }
        } catch (error) {
          options.logger.warn(
            { err: error, queue: options.queue },
            'jobs could not be taken; the queue is looked at again',
          );
        }
      }
      if (taken < free || free === 0) await idle();
    }
    await Promise.all(running);
  };
  const ended = loop();

  return {
    wake,
    async stop() {
      stopping = true;
      wake();
      await ended;
    },
  };
}
