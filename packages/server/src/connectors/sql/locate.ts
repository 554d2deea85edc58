import type { KeyBatch } from '../connector.ts';
import type { CompiledCollection } from './compiled.ts';
import { CHANGE, type Effect } from './effect.ts';
import { foundKeys, foundRows } from './found-rows.ts';
import { batchColumns } from './key-chunks.ts';
import { quoteIdentifier } from './quote.ts';
import type { FoundGroup } from './search.ts';
import type { KeyQuery } from './sql-dialect.ts';
import type { Traversal } from './traversal.ts';

/** Most keys in a batch. */
const BATCH_KEYS = 1_000;

/** The keys of one collection that the same happens to. */
interface Part {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  readonly groups: readonly FoundGroup[];
}

/**
 * The keys of all rows that something happens to, with what it is: children before parents, sorted by key.
 */
export async function* locatedKeys(traversal: Traversal): AsyncGenerator<KeyBatch> {
  const parts: Part[] = [];
  for (const collection of traversal.found) parts.push(...(await partsOf(traversal, collection)));
  yield* batchesOf(traversal, parts);
}

/** The keys of all rows of these collections that are the person's alone; of what others reach too nothing is changed. */
export async function* ownKeys(
  traversal: Traversal,
  collections: ReadonlySet<string>,
): AsyncGenerator<KeyBatch> {
  const parts: Part[] = [];
  for (const collection of traversal.found) {
    if (!collections.has(collection.name)) continue;
    const groups = (await traversal.groups(collection)).filter(({ isOwn }) => isOwn);
    if (groups.length > 0) parts.push({ collection, effect: CHANGE, groups });
  }
  yield* batchesOf(traversal, parts);
}

async function* batchesOf(traversal: Traversal, parts: readonly Part[]): AsyncGenerator<KeyBatch> {
  if (parts.length === 0) return;
  const { transaction, compiled } = traversal;
  const batches = compiled.dialect.keyBatches(transaction, parts.map(queryOf), BATCH_KEYS);
  for await (const { index, count, keys } of batches) {
    const { collection, effect } = parts[index] as Part;
    const columns = batchColumns(collection, effect);
    yield { collection: collection.name, columns, count, keys, treatment: effect.name };
  }
}

async function partsOf(traversal: Traversal, collection: CompiledCollection): Promise<readonly Part[]> {
  const byEffect = new Map<string, FoundGroup[]>();
  for (const group of await traversal.groups(collection)) {
    if (group.effect.name === '') continue;
    byEffect.set(group.effect.name, [...(byEffect.get(group.effect.name) ?? []), group]);
  }
  return [...byEffect.values()].flatMap((groups) =>
    groups[0] === undefined ? [] : [{ collection, effect: groups[0].effect, groups }],
  );
}

function queryOf({ collection, effect, groups }: Part): KeyQuery {
  const { dialect } = collection;
  const cuts = effect.cuts.flatMap((cut) =>
    cut.columns.map((column) => dialect.stored(column, `t.${quoteIdentifier(column.name)}`)),
  );
  const needsRow = cuts.length > 0 || collection.leaf !== undefined;
  const found = needsRow ? foundRows(collection, 't') : foundKeys(collection);
  const key = found.key.map((at, index) => {
    const column = collection.key[index]?.column;
    return column === undefined ? at : dialect.storedKey(column, at);
  });
  const isWhole = collection.key.every(
    ({ column }) => column !== undefined && dialect.seemsWhole?.(column) === true,
  );
  return {
    values: [...key, ...cuts],
    keyParts: key.length,
    whole: cuts.length === 0 && isWhole ? found.key : undefined,
    rows: `${found.from} where ${found.isIn(groups)}`,
    order: found.key.join(', '),
    along: found.along,
  };
}
