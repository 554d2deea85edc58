import type { KeyBatch } from '../connector.ts';
import { type CompiledCollection, keyColumns } from './compiled.ts';
import type { Effect } from './effect.ts';
import { foundRows } from './found-rows.ts';
import { batchColumns } from './key-chunks.ts';
import { quoteIdentifier } from './quote.ts';
import type { FoundGroup } from './search.ts';
import { inGroups } from './staying-rows.ts';
import type { Traversal } from './traversal.ts';

/** Most tuples in a batch. */
const BATCH_TUPLES = 1_000;

/** Keys are narrow. */
const FETCH_ROWS = 5 * BATCH_TUPLES;

/** The keys of all rows that something happens to, with what it is: children before parents, sorted by key. */
export async function* locatedKeys(traversal: Traversal): AsyncGenerator<KeyBatch> {
  for (const collection of traversal.found) {
    const byEffect = new Map<string, FoundGroup[]>();
    for (const group of await traversal.groups(collection)) {
      if (group.effect.name === '') continue;
      byEffect.set(group.effect.name, [...(byEffect.get(group.effect.name) ?? []), group]);
    }
    for (const [treatment, groups] of byEffect) {
      const effect = groups[0]?.effect;
      if (effect === undefined) continue;
      const columns = batchColumns(collection, effect);
      const sql = selectKeys(collection, effect, groups);
      for await (const rows of traversal.transaction.stream(sql, { mostRows: FETCH_ROWS })) {
        for (let start = 0; start < rows.length; start += BATCH_TUPLES) {
          const tuples = rows.slice(start, start + BATCH_TUPLES);
          yield { collection: collection.name, columns, tuples, treatment };
        }
      }
    }
  }
}

function selectKeys(collection: CompiledCollection, effect: Effect, groups: readonly FoundGroup[]): string {
  const key = collection.key.map((_, index) => `s.k${index + 1}::text`);
  const cuts = effect.cuts.flatMap((cut) =>
    cut.columns.map((column) => `t.${quoteIdentifier(column.name)}::text`),
  );
  const needsRow = cuts.length > 0 || collection.leaf !== undefined;
  const rows = needsRow ? foundRows(collection, 't') : `${collection.found} s`;
  return `select ${[...key, ...cuts].join(', ')} from ${rows}
           where ${inGroups('s', groups)} order by ${keyColumns(collection, 's')}`;
}
