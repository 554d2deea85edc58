import { Worker } from 'node:worker_threads';
import snappy from 'snappy';
import { transferable } from './memory.ts';
import type { SnappyAnswer, SnappyTask } from './snappy-thread.ts';

/**
 * The library's own asynchronous calls keep native memory that the collector does not see (measured: 300 MB after 66 pages of 4 MB), so
 * its synchronous ones are called, in threads of ours. As many as a machine of two cores can use beside the main thread.
 */
const THREADS = 2;

/** Sent to another thread, less than this takes longer. */
const SMALL_BYTES = 1 << 15;

/** Its results are copied to where the collector sees them. */
const COPIED = { asBuffer: true, copyOutputData: true } as const;

/** Bytes that are our own are gone afterwards. */
export async function packSnappy(bytes: Buffer): Promise<Buffer> {
  return bytes.length < SMALL_BYTES ? snappy.compressSync(bytes, COPIED) : inThread('pack', bytes);
}

/** Throws an error of the library's own for what is not packed so. */
export async function unpackSnappy(bytes: Buffer): Promise<Buffer> {
  return bytes.length < SMALL_BYTES
    ? (snappy.uncompressSync(bytes, COPIED) as Buffer)
    : inThread('unpack', bytes);
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve(bytes: Buffer): void; reject(error: Error): void }>;
}

const threads: Thread[] = [];
let tasks = 0;

function inThread(kind: SnappyTask['kind'], bytes: Buffer): Promise<Buffer> {
  while (threads.length < THREADS) threads.push(startThread());
  const [first] = threads.toSorted((a, b) => a.waiting.size - b.waiting.size);
  if (first === undefined) throw new Error('There is no thread.');
  tasks += 1;
  const id = tasks;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  first.waiting.set(id, { resolve, reject });
  // Only a thread that is waited for keeps the process alive.
  first.worker.ref();
  first.worker.postMessage({ id, kind, bytes } satisfies SnappyTask, transferable(bytes));
  return promise;
}

function startThread(): Thread {
  const worker = new Worker(new URL('./snappy-thread.ts', import.meta.url));
  const thread: Thread = { worker, waiting: new Map() };
  worker.unref();
  worker.on('message', ({ id, bytes, error }: SnappyAnswer) => {
    const waiting = thread.waiting.get(id);
    thread.waiting.delete(id);
    if (thread.waiting.size === 0) worker.unref();
    if (bytes === undefined) waiting?.reject(new Error(error));
    else waiting?.resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });
  const end = (error: Error) => {
    if (threads.includes(thread)) threads.splice(threads.indexOf(thread), 1);
    for (const { reject } of thread.waiting.values()) reject(error);
    thread.waiting.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('A thread that packs pages ended.')));
  return thread;
}
