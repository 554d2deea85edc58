import type { Collection } from '../../catalog/index.ts';
import type { KeyKind, KeyPart } from './compiled.ts';
import type { LiveTable } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlDialect } from './sql-dialect.ts';

/**
 * What identifies a row: the primary key, else a unique key whose columns are never null, else the key that the dataset declares, else
 * the hash of the whole row. A store's own row number, such as `ctid`, may change between the search and the erasure.
 */
export function compileKey(
  collection: Collection,
  live: LiveTable,
  dialect: SqlDialect,
): { readonly key: readonly KeyPart[]; readonly kind: KeyKind } {
  const isComplete = (columns: readonly string[]) =>
    columns.every((name) => live.columns.get(name)?.notNull === true);
  const { primaryKey, uniqueKeys } = live.shape;
  if (primaryKey.length > 0) return { key: partsOf(primaryKey, live), kind: 'primary' };
  const unique = uniqueKeys.find(isComplete);
  if (unique !== undefined) return { key: partsOf(unique, live), kind: 'unique' };
  if (collection.key.length > 0 && isComplete(collection.key))
    return { key: partsOf(collection.key, live), kind: 'declared' };
  return {
    key: [{ name: '(hash of the row)', column: undefined, sql: (alias) => dialect.rowHash(alias, live) }],
    kind: 'row',
  };
}

function partsOf(columns: readonly string[], live: LiveTable): readonly KeyPart[] {
  return columns.map((name) => ({
    name,
    column: live.columns.get(name),
    sql: (alias) => `${alias}.${quoteIdentifier(name)}`,
  }));
}
