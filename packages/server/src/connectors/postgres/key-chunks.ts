import { HabeasError } from '../../foundation/index.ts';
import type { KeyBatch } from '../connector.ts';
import type { Compiled, CompiledCollection } from './compiled.ts';
import { type Effect, effectNamed } from './effect.ts';
import type { Text } from './transaction.ts';

/** Stored keys of one collection with one effect. */
export interface KeyChunk {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  /** One list of values for each column of {@link batchColumns}. */
  readonly values: readonly (readonly Text[])[];
  /**
   * Whether every key so far came in the order of erasure and once, as one search gives them. The keys of a second search, which
   * are stored behind those of the first, are not.
   */
  readonly isInOrder: boolean;
}

interface OpenChunk extends Pick<KeyChunk, 'collection' | 'effect'> {
  readonly name: string;
  readonly values: Text[][];
}

/** What a batch of this effect holds: the row's key, then what each reference to empty points at. */
export function batchColumns(collection: CompiledCollection, effect: Effect): readonly string[] {
  return [
    ...collection.key.map((part) => part.name),
    ...effect.cuts.flatMap((cut) => cut.columns.map((column) => column.name)),
  ];
}

/** Joins stored batches into larger ones. Throws SYSTEM_FAILED for keys that the datasets or the schema no longer fit. */
export async function* chunksOf(options: {
  readonly compiled: Compiled;
  readonly system: string;
  readonly keys: AsyncIterable<KeyBatch>;
  /** About how many keys go to the server in one statement. */
  readonly keysPerChunk: number;
}): AsyncGenerator<KeyChunk> {
  const { compiled, system } = options;
  const positions = new Map(compiled.order.flat().map((name, position) => [name, position]));
  const seen = new Set<string>();
  let open: OpenChunk | undefined;
  let last = -1;
  let isInOrder = true;
  for await (const batch of options.keys) {
    const name = JSON.stringify([batch.collection, batch.treatment]);
    if (open === undefined || open.name !== name) {
      if (open !== undefined) yield { ...open, isInOrder };
      const collection = compiled.collections.get(batch.collection);
      const effect = collection === undefined ? undefined : effectNamed(collection, batch.treatment ?? '');
      if (collection === undefined || effect === undefined) throw outdated(system, batch.collection);
      const columns = batchColumns(collection, effect);
      if (
        columns.length !== batch.columns.length ||
        columns.some((column, at) => column !== batch.columns[at])
      ) {
        throw outdated(system, batch.collection);
      }
      const position = positions.get(collection.name) ?? -1;
      if (position < last || seen.has(name)) isInOrder = false;
      last = position;
      seen.add(name);
      open = { name, collection, effect, values: columns.map(() => []) };
    }
    for (let column = 0; column < open.values.length; column += 1) {
      const values = open.values[column];
      for (const tuple of batch.tuples) values?.push(tuple[column] ?? null);
    }
    if ((open.values[0]?.length ?? 0) >= options.keysPerChunk) {
      yield { ...open, isInOrder };
      open = { ...open, values: open.values.map(() => []) };
    }
  }
  if (open !== undefined && (open.values[0]?.length ?? 0) > 0) yield { ...open, isInOrder };
}

/**
 * Uses each chunk while the next one is read and opened, so that the server does not wait for it. `use` answers whether to go on; the result is
 * false when one said no.
 */
export async function useChunks(
  chunks: AsyncIterable<KeyChunk>,
  use: (chunk: KeyChunk) => Promise<boolean>,
): Promise<boolean> {
  let using = Promise.resolve(true);
  for await (const chunk of chunks) {
    if (!(await using)) return false;
    using = use(chunk);
    // Its failure is thrown when it is waited for; until then it must not count as unhandled.
    using.catch(() => undefined);
  }
  return await using;
}

function outdated(system: string, collection: string): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    `The stored keys of ${collection} in ${system} do not fit its dataset or its schema any more. Cancel the request and make it again, so that the keys are located anew.`,
  );
}
