import { Worker } from 'node:worker_threads';
import { Refusal } from './refusals.ts';
import type { ThreadAnswer, ThreadResult, ThreadTask } from './thread-task.ts';

/** As many as a machine of two cores can use beside the main thread. */
const THREADS = 2;

/** An idle one takes 40 MB. */
const IDLE_MILLISECONDS = 10_000;

interface Thread {
  readonly worker: Worker;
  /** Ends it when nobody needs it. */
  idle: NodeJS.Timeout | undefined;
  readonly waiting: Map<number, PromiseWithResolvers<ThreadResult>>;
}

const threads: Thread[] = [];
let tasks = 0;

/** Lets the thread that has least to do work. `transfer`: memory that is given away, and gone here. */
export function inThread(task: ThreadTask, transfer: readonly ArrayBuffer[]): Promise<ThreadResult> {
  while (threads.length < THREADS) threads.push(startThread());
  const [first] = threads.toSorted((a, b) => a.waiting.size - b.waiting.size);
  if (first === undefined) throw new Error('There is no thread.');
  tasks += 1;
  const answer = Promise.withResolvers<ThreadResult>();
  first.waiting.set(tasks, answer);
  clearTimeout(first.idle);
  // Only a thread that is waited for keeps the process alive.
  first.worker.ref();
  first.worker.postMessage({ id: tasks, task }, transfer);
  return answer.promise;
}

function startThread(): Thread {
  const worker = new Worker(new URL('./page-thread.ts', import.meta.url));
  const thread: Thread = { worker, idle: undefined, waiting: new Map() };
  worker.unref();
  worker.on('message', ({ id, result, error }: ThreadAnswer) => {
    const waiting = thread.waiting.get(id);
    thread.waiting.delete(id);
    if (thread.waiting.size === 0) {
      worker.unref();
      thread.idle = setTimeout(() => stop(thread), IDLE_MILLISECONDS).unref();
    }
    if (result !== undefined) waiting?.resolve(result);
    else waiting?.reject(errorOf(error));
  });
  const end = (error: Error) => {
    forget(thread);
    for (const { reject } of thread.waiting.values()) reject(error);
    thread.waiting.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('A thread that works on pages ended.')));
  return thread;
}

function forget(thread: Thread): void {
  clearTimeout(thread.idle);
  if (threads.includes(thread)) threads.splice(threads.indexOf(thread), 1);
}

function stop(thread: Thread): void {
  forget(thread);
  void thread.worker.terminate();
}

function errorOf(error: ThreadAnswer['error']): Error {
  return error?.isRefusal === true ? new Refusal(error.message) : new Error(error?.message);
}
