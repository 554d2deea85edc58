import { HabeasError } from '../../foundation/index.ts';
import type { KeyBatch } from '../connector.ts';
import type { Compiled, CompiledCollection } from './compiled.ts';
import { type Effect, effectNamed } from './effect.ts';

/** Stored keys of one collection with one effect. */
export interface KeyChunk {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  /** How many keys it has. */
  readonly count: number;
  /** For each text of a batch those of the batches that follow each other. */
  readonly arrays: readonly (readonly string[])[];
  /**
   * Whether every key so far came in the order of erasure and once, as one search gives them. The keys of a second search, which
   * are stored behind those of the first, are not.
   */
  readonly isInOrder: boolean;
}

/** Of keys in one statement: a MariaDB takes 16 MB unless it is told otherwise. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

interface OpenChunk extends Pick<KeyChunk, 'collection' | 'effect'> {
  readonly name: string;
  readonly arrays: string[][];
  count: number;
  characters: number;
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
      if (open !== undefined && open.count > 0) yield { ...open, isInOrder };
      const collection = compiled.collections.get(batch.collection);
      const effect = collection === undefined ? undefined : effectNamed(collection, batch.treatment ?? '');
      if (collection === undefined || effect === undefined) throw outdated(system, batch.collection);
      const columns = batchColumns(collection, effect);
      if (
        columns.length !== batch.columns.length ||
        (collection.dialect.keysAre === 'tuples' ? 1 : columns.length) !== batch.keys?.length ||
        columns.some((column, at) => column !== batch.columns[at])
      ) {
        throw outdated(system, batch.collection);
      }
      const position = positions.get(collection.name) ?? -1;
      if (position < last || seen.has(name)) isInOrder = false;
      last = position;
      seen.add(name);
      open = { name, collection, effect, count: 0, characters: 0, arrays: batch.keys.map(() => []) };
    }
    for (const [column, array] of batch.keys.entries()) open.arrays[column]?.push(array);
    open.count += batch.count;
    open.characters += batch.keys.reduce((sum, { length }) => sum + length, 0);
    if (open.count >= options.keysPerChunk || open.characters >= MOST_CHARACTERS) {
      yield { ...open, isInOrder };
      open = { ...open, count: 0, characters: 0, arrays: open.arrays.map(() => []) };
    }
  }
  if (open !== undefined && open.count > 0) yield { ...open, isInOrder };
}

/**
 * Uses each chunk while the next one is read and opened, so that the server does not wait for it. `use` answers whether to go on; the result is
 * false when one said no.
 */
export async function useChunks<Chunk>(
  chunks: AsyncIterable<Chunk>,
  use: (chunk: Chunk) => Promise<boolean>,
): Promise<boolean> {
  let using = Promise.resolve(true);
  try {
    for await (const chunk of chunks) {
      if (!(await using)) return false;
      using = unwatched(use(chunk));
    }
    return await using;
  } finally {
    // Where the chunks themselves fail, too: nothing is to be done in a transaction that has ended.
    await Promise.allSettled([using]);
  }
}

/** The failure of what is under way is thrown when it is waited for; until then it must not count as unhandled. */
export function unwatched<Result>(underWay: Promise<Result>): Promise<Result> {
  underWay.catch(() => undefined);
  return underWay;
}

/** Begins at once to read what is asked for first, so that it is there when it is asked for. Who asks again gets everything from the beginning. */
export function readAhead<Item>(read: () => AsyncIterable<Item>): () => AsyncIterable<Item> {
  const items = read()[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<Item>> | undefined = unwatched(items.next());
  return () => {
    if (first === undefined) return read();
    const begun = first;
    first = undefined;
    return goOn(begun, items);
  };
}

async function* goOn<Item>(
  begun: Promise<IteratorResult<Item>>,
  items: AsyncIterator<Item>,
): AsyncGenerator<Item> {
  try {
    for (let item = await begun; item.done !== true; item = await items.next()) yield item.value;
  } finally {
    await items.return?.();
  }
}

function outdated(system: string, collection: string): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    `The stored keys of ${collection} in ${system} do not fit its dataset or its schema any more. Cancel the request and make it again, so that the keys are located anew.`,
  );
}
