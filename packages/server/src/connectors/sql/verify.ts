import type { KeyBatch, Residue, Retained } from '../connector.ts';
import { isReadable } from './change-sql.ts';
import { type Compiled, type CompiledCollection, keyColumns } from './compiled.ts';
import { foundRows } from './found-rows.ts';
import { addHidden, hiddenRows } from './hidden-rows.ts';
import { isAlone } from './is-alone.ts';
import { chunksOf, useChunks } from './key-chunks.ts';
import { isInSet, type KeySet, KeyTables, pointsAsStored, withSets } from './key-set.ts';
import { retainedRows, sumRetained } from './retained.ts';
import type { FoundGroup } from './search.ts';
import type { SqlTransaction } from './sql-transaction.ts';
import type { Traversal } from './traversal.ts';

/** So many that a store rather reads a table once than looks up each key; rows that were just deleted are slow to look up. */
const KEYS_PER_CHUNK = 100_000;

export interface VerifyOptions {
  readonly transaction: SqlTransaction;
  readonly compiled: Compiled;
  readonly system: string;
  /** A search that was made just now. */
  readonly traversal: Traversal;
  /** The stored keys, from the beginning at each call. */
  readonly keys: () => AsyncIterable<KeyBatch>;
}

/**
 * Counts the rows in which a targeted value can still be read, among those that a fresh search finds and those whose keys were stored.
 * A row that both find counts once, by what was stored of it.
 */
export async function countResidue(options: VerifyOptions): Promise<Residue> {
  // After an erasure the search usually finds nothing, and then no row can be counted twice.
  if (options.traversal.found.length === 0) {
    const residue = await countStored(options);
    if (residue !== undefined) return residue;
  }
  return await countAtOnce(options);
}

/** Looks each chunk up as it comes. Undefined where keys of two searches may name a row twice. */
async function countStored(options: VerifyOptions): Promise<Residue | undefined> {
  const remaining: Record<string, number> = {};
  const retained: Retained[] = [];
  const hidden: Record<string, number> = {};
  const isComplete = await useChunks(
    withSets(chunksOf({ ...options, keys: options.keys(), keysPerChunk: KEYS_PER_CHUNK })),
    async ({ chunk, set }) => {
      if (!chunk.isInOrder) return false;
      const { name } = set.collection;
      const readable = (await isGone(options.transaction, set))
        ? undefined
        : readableStored(set, options.compiled);
      const count = readable === undefined ? 0 : await countOf(options, readable, set.values);
      remaining[name] = (remaining[name] ?? 0) + count;
      retained.push(...(await retainedRows(options.transaction, set)));
      addHidden(hidden, name, await hiddenRows(options.transaction, set));
      return true;
    },
  );
  return isComplete ? { remaining, retained: sumRetained(retained), hidden } : undefined;
}

/** Whether it is sure at first sight that no row of a set is left: where no row has a key's first part, none has the key. */
async function isGone(transaction: SqlTransaction, set: KeySet): Promise<boolean> {
  const { collection, effect, firsts } = set;
  const [part] = collection.key;
  if (effect.action?.kind !== 'delete' || firsts === undefined || part === undefined) return false;
  const rows = await transaction.rows(
    `select '1' from ${firsts.rows(collection.table, part.sql('t'))} limit 1`,
    firsts.values,
  );
  return rows.length === 0;
}

async function countAtOnce(options: VerifyOptions): Promise<Residue> {
  const { transaction, traversal } = options;
  const tables = new KeyTables(transaction);
  await useChunks(chunksOf({ ...options, keys: options.keys(), keysPerChunk: KEYS_PER_CHUNK }), (chunk) =>
    tables.add(chunk),
  );
  const stored = await tables.sets();
  const remaining: Record<string, number> = {};
  const found = new Set(traversal.found);
  for (const collection of new Set([...found, ...stored.map((set) => set.collection)])) {
    const groups = found.has(collection) ? await traversal.groups(collection) : [];
    const sets = stored.filter((set) => set.collection === collection);
    const selects = [
      ...groups.map((group) => readableFound(group, sets, collection)),
      ...sets.map((set) => readableStored(set, options.compiled)),
    ];
    const readable = selects.filter((select) => select !== undefined);
    remaining[collection.name] =
      readable.length === 0 ? 0 : await countOf(options, readable.join(' union '), []);
  }
  const retained: Retained[] = [];
  const hidden: Record<string, number> = {};
  for (const set of stored) {
    retained.push(...(await retainedRows(transaction, set)));
    addHidden(hidden, set.collection.name, await hiddenRows(transaction, set));
  }
  return { remaining, retained: sumRetained(retained), hidden };
}

async function countOf(
  { transaction, compiled }: VerifyOptions,
  select: string,
  values: readonly unknown[],
): Promise<number> {
  const [row] = await transaction.rows(
    `select ${compiled.dialect.text('count(*)')} from (${select}) readable`,
    values,
  );
  return Number(row?.[0] ?? 0);
}

/**
 * Rows that a search finds now and that were not stored. What was decided of a stored row, by all ways that led to it then, still
 * holds when some of these ways are gone. A reference by which a row was found just now leads to the person.
 */
function readableFound(
  group: FoundGroup,
  stored: readonly KeySet[],
  collection: CompiledCollection,
): string | undefined {
  if (group.effect.name === '') return undefined;
  const readable = isReadable({ effect: group.effect, row: 't', pointsAtPerson: () => 'true' });
  if (readable === 'false') return undefined;
  const known = stored.map(
    (set) => ` and not exists (select 1 from ${set.source} e where ${isInSet(set, 't')})`,
  );
  const found = foundRows(collection, 't');
  return `select ${found.key.join(', ')} from ${found.from}
           where ${found.isIn([group])} and ${readable}${known.join('')}`;
}

function readableStored(set: KeySet, compiled: Compiled): string | undefined {
  const { collection, effect } = set;
  const targeted = isReadable({
    effect,
    row: 't',
    pointsAtPerson: (cut) => pointsAsStored(collection, cut, 't'),
  });
  const { whenAlone } = effect;
  const left =
    whenAlone === undefined
      ? 'false'
      : isReadable({
          effect: { name: whenAlone.name, action: whenAlone, whenAlone: undefined, cuts: [] },
          row: 't',
          pointsAtPerson: () => 'false',
        });
  const readable =
    left === 'false' ? targeted : `(${targeted} or (${left} and ${isAlone(compiled, collection, 't')}))`;
  if (readable === 'false') return undefined;
  return `select ${keyColumns(collection, 'e')} from ${set.source} e join ${collection.table} t on ${isInSet(set, 't')}
           where ${readable}`;
}
