import type { KeyBatch } from '../connector.ts';
import { type CompiledCollection, keyColumns } from './compiled.ts';
import type { Effect } from './effect.ts';
import { foundRows } from './found-rows.ts';
import { batchColumns } from './key-chunks.ts';
import { quoteIdentifier } from './quote.ts';
import type { FoundGroup } from './search.ts';
import { inGroups } from './staying-rows.ts';
import type { TextRow } from './transaction.ts';
import type { Traversal } from './traversal.ts';

/** Most tuples in a batch. */
const BATCH_TUPLES = 1_000;

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
      let tuples: TextRow[] = [];
      for await (const rows of traversal.transaction.stream(selectKeys(collection, effect, groups))) {
        tuples.push(...rows);
        while (tuples.length >= BATCH_TUPLES) {
          yield { collection: collection.name, columns, tuples: tuples.slice(0, BATCH_TUPLES), treatment };
          tuples = tuples.slice(BATCH_TUPLES);
        }
      }
      if (tuples.length > 0) yield { collection: collection.name, columns, tuples, treatment };
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
