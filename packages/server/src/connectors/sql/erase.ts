import { randomBytes } from 'node:crypto';
import type { EraseMode, Evidence, KeyBatch } from '../connector.ts';
import type { Compiled } from './compiled.ts';
import { chunksOf, type KeyChunk, unwatched, useChunks } from './key-chunks.ts';
import { type KeySet, KeyTables, withSets } from './key-set.ts';
import { sumRetained } from './retained.ts';
import { SetEraser } from './set-eraser.ts';
import { refuseSharedKeys } from './shared-keys.ts';
import type { SqlTransaction } from './sql-transaction.ts';
import { setNow, setValue } from './traversal.ts';

/** Few enough that reading and opening the next ones takes place meanwhile. */
const KEYS_PER_CHUNK = 20_000;

export interface EraseOptions {
  readonly transaction: SqlTransaction;
  readonly compiled: Compiled;
  readonly system: string;
  /** The stored keys, from the beginning at each call. */
  readonly keys: () => AsyncIterable<KeyBatch>;
  readonly now: Date;
  /** No attempt was ever answered: rows that are gone, or masked, count as erased. */
  readonly countsGone: boolean;
}

/** Erases exactly the stored keys. The caller commits; until then nothing has happened. */
export async function eraseRows(options: EraseOptions, mode: EraseMode): Promise<Evidence> {
  const { transaction, compiled } = options;
  const { dialect } = compiled;
  await setNow(transaction, dialect, options.now);
  // Thrown away with the transaction, so that nobody can try values until a hash fits.
  await setValue(transaction, dialect, 'salt', randomBytes(32).toString('hex'));
  const eraser = await eraseInBestWay(
    options,
    () => new SetEraser({ transaction, compiled, mode, countsGone: options.countsGone }),
  );
  return {
    matched: eraser.matched,
    counts: eraser.counts,
    retained: sumRetained(eraser.retained),
    effects: eraser.effects.byCollection(eraser.hidden),
    residuals: [],
    notes: [...eraser.notes],
  };
}

/** In order where that can be tried, because what was done so far can be taken back. */
async function eraseInBestWay(options: EraseOptions, makeEraser: () => SetEraser): Promise<SetEraser> {
  const { transaction, compiled } = options;
  if (compiled.dialect.hasSavepoints) {
    await transaction.script(['savepoint in_order']);
    const eraser = makeEraser();
    if (await eraseInOrder(options, eraser)) return eraser;
    await transaction.script(['rollback to savepoint in_order']);
  }
  const eraser = makeEraser();
  await eraseAtOnce(options, eraser);
  return eraser;
}

/**
 * The usual case: keys come as one search found them, children before parents, and each chunk is erased as it comes.
 * Answers false where that cannot be: keys of two searches, or collections that refer to each other in a circle.
 */
async function eraseInOrder(options: EraseOptions, eraser: SetEraser): Promise<boolean> {
  const entangled = entangledCollections(options.compiled);
  const needsAll = (chunk: KeyChunk) => !chunk.isInOrder || entangled.has(chunk.collection.name);
  const shared = new KeyTables(options.transaction);
  let deleting = Promise.resolve();
  const eraseChunk = async ({ chunk, set }: { readonly chunk: KeyChunk; readonly set: KeySet }) => {
    if (needsAll(chunk)) return false;
    eraser.effects.found(chunk.collection.name, chunk.count);
    const before = deleting;
    if (eraser.isDeletedAtOnce(set)) {
      // The store has this deletion before it is done with the one before, and waits for neither.
      deleting = unwatched(eraser.deleteAtOnce(set));
      await before;
    } else {
      await before;
      await eraser.update(set);
      await eraser.delete([set]);
    }
    await eraser.retain(set);
    if (chunk.effect.whenAlone !== undefined) await shared.add(chunk);
    return true;
  };
  let isDone = false;
  try {
    const chunks = chunksOf({ ...options, keys: options.keys(), keysPerChunk: KEYS_PER_CHUNK });
    isDone = await useChunks(withSets(chunks), eraseChunk);
    await deleting;
  } finally {
    await Promise.allSettled([deleting]);
  }
  if (isDone) for (const set of await shared.sets()) await eraser.release(set);
  return isDone;
}

/** References and fields first, over all collections; then the rows, children before parents, those of a circle in one statement. */
async function eraseAtOnce(options: EraseOptions, eraser: SetEraser): Promise<void> {
  const tables = new KeyTables(options.transaction);
  await useChunks(chunksOf({ ...options, keys: options.keys(), keysPerChunk: KEYS_PER_CHUNK }), (chunk) =>
    tables.add(chunk),
  );
  const sets = await tables.sets();
  for (const set of sets) {
    await refuseSharedKeys(options.transaction, set.collection, `${set.source} e where ${set.condition}`);
    await eraser.countFound(set);
  }
  const groups = options.compiled.order.map((group) =>
    group.flatMap((name) => sets.filter((set) => set.collection.name === name)),
  );
  for (const set of groups.flat()) await eraser.update(set);
  for (const group of groups) await eraser.delete(group);
  for (const set of groups.flat()) await eraser.retain(set);
  for (const set of groups.flat()) await eraser.release(set);
}

/** Collections with a foreign key to themselves, or in a circle with others. */
function entangledCollections(compiled: Compiled): ReadonlySet<string> {
  const circles = compiled.order.filter((group) => group.length > 1).flat();
  const selves = compiled.foreignKeys
    .filter((foreignKey) => foreignKey.child === foreignKey.parent)
    .map((foreignKey) => foreignKey.child);
  return new Set([...circles, ...selves]);
}
