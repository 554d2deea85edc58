import type { KeyBatch } from '../connectors/index.ts';
import { type BlobRef, type BlobStore, PIECE_BYTES } from './blob-store.ts';
import { changeWorkOf } from './change-task.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

const PART = 'keys';

/** Finds the exact keys of what belongs to the person and stores them, encrypted, before anything is destroyed. */
export async function locateTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const purpose = changeWorkOf(context.request, context.changes) ?? 'erase';
  const blob: BlobRef = { ...context.ref, blob: `keys/${context.task.id}/${context.task.attempt}` };
  const counts: Record<string, number> = {};
  let pending: string[] = [];
  let bytes = 0;
  let position = 0;
  let storing = Promise.resolve();
  // One piece is stored while the next is found.
  const flush = async (): Promise<void> => {
    await storing;
    const piece = { part: PART, position, bytes: Buffer.from(`${pending.join('\n')}\n`) };
    storing = context.blobs.put(blob, [piece], 'plain');
    // Its failure is thrown at the end; until then it must not count as unhandled.
    storing.catch(() => undefined);
    position += 1;
    pending = [];
    bytes = 0;
  };
  try {
    for await (const batch of connector.locate?.(context.scope, purpose) ?? []) {
      counts[batch.collection] = (counts[batch.collection] ?? 0) + batch.count;
      const line = JSON.stringify(batch);
      pending.push(line);
      bytes += line.length;
      if (bytes < PIECE_BYTES) continue;
      // So many keys are read again right away, to erase by them and to look for what is left.
      context.whileMuchIsStreamed();
      await flush();
    }
    if (pending.length > 0) await flush();
  } finally {
    await storing;
  }
  const matched = Object.values(counts).some((count) => count > 0);
  // Keys of an earlier search are kept beside the new ones: rows that were found once must not be missed later.
  const blobs = context.task.blob === null ? blob.blob : `${context.task.blob} ${blob.blob}`;
  return {
    state: 'succeeded',
    matched,
    result: { blob: blobs, evidence: { matched, counts, retained: [], residuals: [], notes: [] } },
  };
}

/** The stored key batches of a located task, as the connector gave them. */
export async function* readKeys(
  blobs: BlobStore,
  ref: Omit<BlobRef, 'blob'>,
  names: string | null,
): AsyncIterable<KeyBatch> {
  for (const blob of names?.split(' ') ?? []) {
    for await (const piece of blobs.read({ ...ref, blob }, PART, { form: 'plain' })) {
      for (const line of piece.toString().split('\n')) if (line !== '') yield JSON.parse(line);
    }
  }
}

/** The same of the last search alone, where there were several. */
export function lastKeys(
  blobs: BlobStore,
  ref: Omit<BlobRef, 'blob'>,
  names: string | null,
): (() => AsyncIterable<KeyBatch>) | undefined {
  const [last, ...former] = (names?.split(' ') ?? []).toReversed();
  return last === undefined || former.length === 0 ? undefined : () => readKeys(blobs, ref, last);
}
