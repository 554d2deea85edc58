import { isMainThread } from 'node:worker_threads';
import type { RandomAccess } from '../objects/row-format.ts';
import { asBuffer, type Chunk } from './footer.ts';
import { received } from './memory.ts';
import { type ChunkChange, type CollectedChunk, collectChunk, isHeld } from './rewrite-chunk.ts';
import { inThread } from './threads.ts';
import { readThrift, writeThrift } from './thrift.ts';

/**
 * The changed column, made by another thread where rows go. Masks are functions, which no other thread can be given: there, the packing
 * alone is done elsewhere. Only for columns that are held.
 */
export async function changeChunk(
  source: RandomAccess,
  chunk: Chunk,
  change: ChunkChange,
): Promise<CollectedChunk> {
  if (!isMainThread || !isHeld(chunk) || change.mask !== undefined)
    return collectChunk(source, chunk, change);
  const bytes = asBuffer(await source.read(chunk.offset, chunk.length));
  const { parts, changed } = await inThread(
    {
      kind: 'cut',
      bytes,
      struct: writeThrift(chunk.struct),
      leaf: chunk.leaf,
      rows: change.rows.rows,
    },
    // Of what has been read, all of the memory is the caller's.
    bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.length ? [bytes.buffer] : [],
  );
  if (changed === undefined) throw new Error('A thread that works on pages gave no column.');
  const statistics =
    changed.statistics === undefined ? undefined : readThrift(Buffer.from(changed.statistics)).struct;
  return { parts: received(parts), changed: { ...changed, statistics } };
}
