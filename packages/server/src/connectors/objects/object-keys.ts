import type { Identity } from '../../catalog/index.ts';
import type { KeyBatch } from '../connector.ts';

/** What a stored key has: an object, and by which identities its rows were found. */
export const KEY_COLUMNS = ['key', 'identities'];

/** By key of an object; no identities where the whole object is the person's. */
export type StoredObjects = ReadonlyMap<string, readonly Identity[]>;

/** How many rows of a person were found in a version of an object. */
export interface LocatedRows {
  /** See {@link markOf}. */
  readonly mark: string;
  readonly rows: number;
  readonly isLatest: boolean;
}

/** Names this content of this version. */
export function markOf({ id, etag }: { readonly id: string; readonly etag: string }): string {
  return `${id} ${etag}`;
}

type StoredForm = readonly [
  key: string,
  identities: readonly (readonly [type: string, value: string])[],
  versions?: readonly (readonly [mark: string, rows: number, isLatest: 0 | 1])[],
];

export function storedForm(
  key: string,
  identities: readonly Identity[],
  versions: readonly LocatedRows[] = [],
): string {
  const pairs = identities.map(({ type, value }) => [type, value] as const);
  const found = versions.map(({ mark, rows, isLatest }) => [mark, rows, isLatest ? 1 : 0] as const);
  return JSON.stringify((found.length === 0 ? [key, pairs] : [key, pairs, found]) satisfies StoredForm);
}

/** What was found in each object, by collection and key. */
export async function readLocatedRows(
  batches: AsyncIterable<KeyBatch>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly LocatedRows[]>>> {
  const collections = new Map<string, Map<string, readonly LocatedRows[]>>();
  for await (const { collection, keys } of batches) {
    const own = collections.get(collection) ?? new Map<string, readonly LocatedRows[]>();
    collections.set(collection, own);
    for (const text of keys) {
      const [key, , versions = []]: StoredForm = JSON.parse(text);
      const known = new Map((own.get(key) ?? []).map((one) => [one.mark, one]));
      for (const [mark, rows, latest] of versions) known.set(mark, { mark, rows, isLatest: latest === 1 });
      own.set(key, [...known.values()]);
    }
  }
  return collections;
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
      const [key, pairs]: StoredForm = JSON.parse(text);
      const known = new Map((own.get(key) ?? []).map((one) => [JSON.stringify([one.type, one.value]), one]));
      for (const [type, value] of pairs) known.set(JSON.stringify([type, value]), { type, value });
      own.set(key, [...known.values()]);
    }
  }
  signal.throwIfAborted();
  return collections;
}
