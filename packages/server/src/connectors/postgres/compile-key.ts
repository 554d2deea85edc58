import type { Collection } from '../../catalog/index.ts';
import type { KeyKind, KeyPart } from './compiled.ts';
import type { LiveTable } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';

/**
 * What identifies a row: the primary key, else a unique key whose columns are never null, else the key that the dataset declares, else
 * the hash of the whole row. `ctid` would change with every update, and between the search and the erasure.
 */
export function compileKey(
  collection: Collection,
  live: LiveTable,
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
    key: [
      {
        name: '(hash of the row)',
        type: 'text',
        sql: (alias) => `encode(sha256(convert_to((${alias}.*)::text, 'UTF8')), 'hex')`,
      },
    ],
    kind: 'row',
  };
}

function partsOf(columns: readonly string[], live: LiveTable): readonly KeyPart[] {
  return columns.map((name) => ({
    name,
    type: live.columns.get(name)?.type ?? 'text',
    sql: (alias) => `${alias}.${quoteIdentifier(name)}`,
  }));
}
