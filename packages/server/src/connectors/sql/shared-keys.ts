import { HabeasError } from '../../foundation/index.ts';
import { type CompiledCollection, keyColumns, keyNames, matchesKey } from './compiled.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/**
 * Throws SCHEMA_MISMATCH where different rows have one of these keys, in a store that does not see to it that none do: what is known by its key
 * alone would be another person's row too. Rows that are the same in all columns are one.
 */
export async function refuseSharedKeys(
  transaction: SqlTransaction,
  collection: CompiledCollection,
  /** Behind `from`: the keys, as `e`. */
  keys: string,
): Promise<void> {
  const { dialect, keyKind, live, name, table } = collection;
  if (dialect.enforcesKeys || keyKind === 'row') return;
  const names = keyNames(collection).map((key) => `e.${key}`);
  const rows = await transaction.rows(
    `select ${dialect.text('count(*)')}
       from (select ${keyColumns(collection, 'e')}
               from (select distinct ${names.join(', ')} from ${keys}) e join ${table} t on ${matchesKey(collection, 't', 'e')}
              group by ${names.join(', ')} having count(distinct ${dialect.rowHash('t', live)}) > 1) shared`,
  );
  const count = Number(rows[0]?.[0] ?? 0);
  if (count === 0) return;
  const columns = collection.key.map((part) => part.name).join(', ');
  throw new HabeasError(
    'SCHEMA_MISMATCH',
    `Different rows of "${name}" have the same key (${columns}), ${count} ${count === 1 ? 'time' : 'times'}: ${dialect.name} only declares keys. Nothing was changed. Make the rows different in their key, or take the key from the table.`,
  );
}
