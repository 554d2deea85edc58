import type { Identity } from '../../catalog/index.ts';
import type { KeyBatch } from '../connector.ts';

/** What a stored key has: an identity, and how many lines of the collection named the person when it was found. */
export const KEY_COLUMNS = ['type', 'value', 'lines'];

/** What was found of a person in one collection. */
export interface StoredLines {
  /** By these their lines are found, wherever a rotation moves them. */
  readonly identities: readonly Identity[];
  readonly lines: number;
}

export function storedForm({ type, value }: Identity, lines: number): string {
  return JSON.stringify([type, value, lines]);
}

/** The stored keys by collection, each once. */
export async function readLines(
  batches: AsyncIterable<KeyBatch>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, StoredLines>> {
  const stored = new Map<string, { readonly identities: Map<string, Identity>; lines: number }>();
  for await (const { collection, keys } of batches) {
    signal.throwIfAborted();
    const own = stored.get(collection) ?? { identities: new Map<string, Identity>(), lines: 0 };
    stored.set(collection, own);
    for (const text of keys) {
      const [type, value, lines = 0]: [string, string, number?] = JSON.parse(text);
      own.identities.set(JSON.stringify([type, value]), { type, value });
      own.lines = Math.max(own.lines, lines);
    }
  }
  signal.throwIfAborted();
  return new Map(
    [...stored].map(([name, { identities, lines }]) => [
      name,
      { identities: [...identities.values()], lines },
    ]),
  );
}
