import { isMainThread } from 'node:worker_threads';
import snappy from 'snappy';
import { transferable } from './memory.ts';
import { inThread } from './threads.ts';

/** Sent to another thread, less than this takes longer. */
const SMALL_BYTES = 1 << 15;

/** Its results are copied to where the collector sees them. */
const COPIED = { asBuffer: true, copyOutputData: true } as const;

/*
 * The library's own asynchronous calls keep native memory that the collector does not see (measured: 300 MB after 66 pages of 4 MB), so
 * its synchronous ones are called, and not in the main thread.
 */

/** Bytes that are our own are gone afterwards. */
export async function packSnappy(bytes: Buffer): Promise<Buffer> {
  return isDoneHere(bytes) ? snappy.compressSync(bytes, COPIED) : doneInThread('pack', bytes);
}

/** Throws an error of the library's own for what is not packed so. */
export async function unpackSnappy(bytes: Buffer): Promise<Buffer> {
  return isDoneHere(bytes) ? (snappy.uncompressSync(bytes, COPIED) as Buffer) : doneInThread('unpack', bytes);
}

function isDoneHere(bytes: Buffer): boolean {
  return !isMainThread || bytes.length < SMALL_BYTES;
}

async function doneInThread(kind: 'pack' | 'unpack', bytes: Buffer): Promise<Buffer> {
  const { parts } = await inThread({ kind, bytes }, transferable(bytes));
  const [made] = parts;
  if (made === undefined) throw new Error('A thread that works on pages made nothing.');
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength);
}
