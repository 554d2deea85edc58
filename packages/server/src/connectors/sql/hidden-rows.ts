import { type KeySet, rowsOfSet } from './key-set.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** How many rows of a set are only marked as deleted; 0 where the effect is another one. */
export async function hiddenRows(transaction: SqlTransaction, set: KeySet): Promise<number> {
  const { collection, effect } = set;
  const { action } = effect;
  if (action === undefined || !('hides' in action) || !action.hides) return 0;
  const [row] = await transaction.rows(
    `select ${collection.dialect.text('count(*)')} ${rowsOfSet(set)}`,
    set.values,
  );
  return Number(row?.[0] ?? 0);
}

/** Adds to the sums of collections; none without rows. */
export function addHidden(sums: Record<string, number>, collection: string, rows: number): void {
  if (rows > 0) sums[collection] = (sums[collection] ?? 0) + rows;
}
