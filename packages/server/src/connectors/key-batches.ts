import type { KeyBatch } from './connector.ts';

const KEYS_PER_BATCH = 1_000;

/** Keys of one collection, in batches as a plan stores them. */
export async function* inBatches(
  collection: string,
  columns: readonly string[],
  keys: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<KeyBatch> {
  let batch: string[] = [];
  const made = (): KeyBatch => ({ collection, columns, count: batch.length, keys: batch });
  for await (const key of keys) {
    batch.push(key);
    if (batch.length < KEYS_PER_BATCH) continue;
    yield made();
    batch = [];
  }
  if (batch.length > 0) yield made();
}
