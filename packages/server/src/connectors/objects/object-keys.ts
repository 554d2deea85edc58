import type { Identity } from '../../catalog/index.ts';
import type { KeyBatch } from '../connector.ts';

/** What a stored key has: an object, and by which identities its rows were found. */
export const KEY_COLUMNS = ['key', 'identities'];

/** By key of an object; no identities where the whole object is the person's. */
export type StoredObjects = ReadonlyMap<string, readonly Identity[]>;

export function storedForm(key: string, identities: readonly Identity[]): string {
  return JSON.stringify([key, identities.map(({ type, value }) => [type, value])]);
}

/** The stored keys by collection, each once. */
export async function readKeys(
  batches: AsyncIterable<KeyBatch>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, StoredObjects>> {
  const collections = new Map<string, Map<string, readonly Identity[]>>();
  for await (const { collection, keys } of batches) {
    signal.throwIfAborted();
    const own = collections.get(collection) ?? new Map<string, readonly Identity[]>();
    collections.set(collection, own);
    for (const text of keys) {
      const [key, pairs]: [string, readonly [string, string][]] = JSON.parse(text);
      const known = new Map((own.get(key) ?? []).map((one) => [JSON.stringify([one.type, one.value]), one]));
      for (const [type, value] of pairs) known.set(JSON.stringify([type, value]), { type, value });
      own.set(key, [...known.values()]);
    }
  }
  signal.throwIfAborted();
  return collections;
}
