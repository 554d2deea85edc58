import type { KeyQuery, StoredBatch } from './sql-dialect.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** Batches of keys in which each column's texts are one JSON array. */
export async function* jsonKeyBatches(
  transaction: SqlTransaction,
  parts: readonly KeyQuery[],
  most: number,
): AsyncGenerator<StoredBatch> {
  for (const [index, { values, rows, order }] of parts.entries()) {
    const select = `select ${values.join(', ')} from ${rows} order by ${order}`;
    for await (const batch of transaction.stream(select, { mostRows: most }))
      yield {
        index,
        count: batch.length,
        keys: values.map((_, at) => JSON.stringify(batch.map((row) => row[at] ?? null))),
      };
  }
}

/** All keys of such batches as one JSON array, an array for each. */
export function joinedKeys(arrays: readonly (readonly string[])[]): string {
  const parsed = arrays.map((texts) => texts.flatMap((text) => JSON.parse(text) as (string | null)[]));
  return JSON.stringify(parsed[0]?.map((_, row) => parsed.map((column) => column[row] ?? null)) ?? []);
}
