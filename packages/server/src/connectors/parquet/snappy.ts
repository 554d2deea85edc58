import { isMainThread } from 'node:worker_threads';
import snappy from 'snappy';
import { owned, transferable } from './memory.ts';
import { inThread } from './threads.ts';

/** Sent to another thread, less than this takes longer. */
const SMALL_BYTES = 1 << 15;

/** Its results are copied to where the collector sees them. */
const COPIED = { asBuffer: true, copyOutputData: true } as const;

/*
 * The library's own asynchronous calls keep native memory that the collector does not see (measured: 300 MB after 66 pages of 4 MB), so
 * its synchronous ones are called, and not in the main thread.
 */

/** Packs what the parts are together. */
export async function packSnappy(parts: readonly Buffer[]): Promise<Buffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (isDoneHere(length)) return snappy.compressSync(joinedHere(parts, length), COPIED);
  const [only] = parts;
  return doneInThread(
    'pack',
    parts.length === 1 && only !== undefined ? only : owned(Buffer.concat(parts, length)),
  );
}

/** Memory that is used again and again: to get it anew costs more than to fill it. */
let scratch = Buffer.alloc(0);
const MOST_SCRATCH_BYTES = 8 << 20;

/** The parts one after the other, until others are joined here. */
function joinedHere(parts: readonly Buffer[], length: number): Buffer {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  if (length > MOST_SCRATCH_BYTES) return Buffer.concat(parts, length);
  if (scratch.length < length) scratch = Buffer.allocUnsafeSlow(Math.ceil(length * 1.25));
  let at = 0;
  for (const part of parts) at += part.copy(scratch, at);
  return scratch.subarray(0, length);
}

/** Throws an error of the library's own for what is not packed so. */
export async function unpackSnappy(bytes: Buffer): Promise<Buffer> {
  return isDoneHere(bytes.length)
    ? (snappy.uncompressSync(bytes, COPIED) as Buffer)
    : doneInThread('unpack', bytes);
}

function isDoneHere(length: number): boolean {
  return !isMainThread || length < SMALL_BYTES;
}

/** Bytes that are our own are gone afterwards. */
async function doneInThread(kind: 'pack' | 'unpack', bytes: Buffer): Promise<Buffer> {
  const { parts } = await inThread({ kind, bytes }, transferable(bytes));
  const [made] = parts;
  if (made === undefined) throw new Error('A thread that works on pages made nothing.');
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength);
}
