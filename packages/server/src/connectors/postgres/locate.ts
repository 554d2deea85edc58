import type { KeyBatch } from '../connector.ts';
import { type CompiledCollection, keyColumns } from './compiled.ts';
import type { Effect } from './effect.ts';
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
const FETCH_BATCHES = 10;

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
      for await (const rows of traversal.transaction.stream(sql, { mostRows: FETCH_BATCHES })) {
        for (const [count, ...keys] of rows) {
          yield {
            collection: collection.name,
            columns,
            count: Number(count),
            keys: keys.map((array) => array ?? '{}'),
            treatment,
          };
        }
      }
    }
  }
}

/**
 * One row for each batch: how many keys, and for each column the text of an array of its values, in the order of the keys. PostgreSQL
 * reads these texts again, so that a key costs no work here.
 */
function selectKeys(collection: CompiledCollection, effect: Effect, groups: readonly FoundGroup[]): string {
  const key = collection.key.map((part, index) => `s.k${index + 1}${isPlain(part.type) ? '' : '::text'}`);
  const cuts = effect.cuts.flatMap((cut) =>
    cut.columns.map((column) => `t.${quoteIdentifier(column.name)}::text`),
  );
  const values = [...key, ...cuts].map((value, index) => ({ value, name: `v${index + 1}` }));
  const needsRow = cuts.length > 0 || collection.leaf !== undefined;
  const rows = needsRow ? foundRows(collection, 't') : `${collection.found} s`;
  const arrays = values.map(({ name }) => `array_agg(${name} order by number)::text`);
  return `select count(*)::text, ${arrays.join(', ')}
            from (select ${values.map(({ value, name }) => `${value} as ${name}`).join(', ')},
                         row_number() over (order by ${keyColumns(collection, 's')}) as number
                    from ${rows}
                   where ${inGroups('s', groups)}) numbered
           group by (number - 1) / ${BATCH_KEYS}
           order by (number - 1) / ${BATCH_KEYS}`;
}
