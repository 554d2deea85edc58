import type { KeyBatch } from '../connector.ts';
import { type CompiledCollection, keyColumns } from './compiled.ts';
import { CHANGE, type Effect } from './effect.ts';
import { foundRows } from './found-rows.ts';
import { batchColumns } from './key-chunks.ts';
import { isPlain } from './plain-types.ts';
import { quoteIdentifier } from './quote.ts';
import type { FoundGroup } from './search.ts';
import { inGroups } from './staying-rows.ts';
import type { Traversal } from './traversal.ts';

/** Most keys in a batch. */
const BATCH_KEYS = 1_000;

/** Batches that one fetch brings. */
const FETCH_BATCHES = 20;

/** The keys of one collection that the same happens to. */
interface Part {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  readonly groups: readonly FoundGroup[];
}

/**
 * The keys of all rows that something happens to, with what it is: children before parents, sorted by key. One statement for all
 * collections, because each costs a few ways to the server and back.
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
  const widths = parts.map(({ collection, effect }) => batchColumns(collection, effect).length);
  const width = Math.max(...widths);
  const sql = parts.map((part, index) => `(${selectKeys(part, index, width)})`).join(' union all ');
  for await (const rows of traversal.transaction.stream(sql, { mostRows: FETCH_BATCHES })) {
    for (const [index, count, ...arrays] of rows) {
      const part = parts[Number(index)] as Part;
      const columns = batchColumns(part.collection, part.effect);
      yield {
        collection: part.collection.name,
        columns,
        count: Number(count),
        keys: columns.map((_, column) => arrays[column] ?? '{}'),
        treatment: part.effect.name,
      };
    }
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

/**
 * One row for each batch: which part, how many keys, and for each column the text of an array of its values, in the order of the keys.
 * PostgreSQL reads these texts again, so that a key costs no work here.
 */
function selectKeys({ collection, effect, groups }: Part, index: number, width: number): string {
  const key = collection.key.map(({ type }, at) => `s.k${at + 1}${isPlain(type) ? '' : '::text'}`);
  const cuts = effect.cuts.flatMap((cut) =>
    cut.columns.map((column) => `t.${quoteIdentifier(column.name)}::text`),
  );
  const values = [...key, ...cuts].map((value, at) => ({ value, name: `v${at + 1}` }));
  const needsRow = cuts.length > 0 || collection.leaf !== undefined;
  const rows = needsRow ? foundRows(collection, 't') : `${collection.found} s`;
  const arrays = values.map(({ name }) => `array_agg(${name} order by number)::text`);
  const padding = Array.from({ length: width - arrays.length }, () => 'null::text');
  return `select '${index}'::text, count(*)::text, ${[...arrays, ...padding].join(', ')}
            from (select ${values.map(({ value, name }) => `${value} as ${name}`).join(', ')},
                         row_number() over (order by ${keyColumns(collection, 's')}) as number
                    from ${rows}
                   where ${inGroups('s', groups)}) numbered
           group by (number - 1) / ${BATCH_KEYS}
           order by (number - 1) / ${BATCH_KEYS}`;
}
