import { type CompiledCollection, type CompiledEdge, keyNames, matchesKey } from './compiled.ts';
import { quoteIdentifier } from './quote.ts';
import type { FoundGroup } from './search.ts';
import type { FoundAlong } from './sql-dialect.ts';

/** Rows of a collection that were found, as a statement reads them. */
export interface FoundRows {
  /** What stands behind `from`. */
  readonly from: string;
  /** The parts of the key. */
  readonly key: readonly string[];
  /** Whether a row belongs to one of these groups. */
  readonly isIn: (groups: readonly FoundGroup[]) => string;
  readonly along: FoundAlong;
}

/**
 * The rows of a collection that were found; the row itself has the given alias.
 *
 * A leaf leads nowhere and is found in one way only. Its keys are never needed twice, so nothing is remembered: its rows are read
 * through those of the collection that leads to it.
 */
export function foundRows(collection: CompiledCollection, row: string): FoundRows {
  const { leaf } = collection;
  const { joinFromFew } = collection.dialect;
  if (leaf === undefined) {
    const { from, key, isIn, along } = foundKeys(collection);
    return {
      along,
      from: `${from} ${joinFromFew} ${collection.table} ${row} on ${matchesKey(collection, row, 's')}`,
      key,
      isIn,
    };
  }
  const { rows, tick, first } = rowsToFollow(leaf);
  return {
    along: { table: leaf.from.found, column: 'k1', at: first },
    from: `${rows} ${joinFromFew} ${collection.table} ${row} on ${leaf.edge.condition('a', row)} and ${tick} is not null`,
    key: collection.key.map((part) => part.sql(row)),
    // All of them were found in the same way, and are the person's.
    isIn: (groups) => `${groups.length > 0}`,
  };
}

/** The same without the rows themselves, of a collection that is no leaf. */
export function foundKeys(collection: CompiledCollection): FoundRows {
  return {
    from: `${collection.found} s`,
    key: keyNames(collection).map((name) => `s.${name}`),
    isIn: (groups) => inGroups('s', groups),
    along: { table: collection.found, column: 'k1', at: 's.k1' },
  };
}

/**
 * The found rows of an edge's source as `a`, the round in which each became the person's, and the first part of its key. Their table is not read when the stored key
 * has all that is needed.
 */
export function rowsToFollow({
  from,
  edge,
}: {
  readonly from: CompiledCollection;
  readonly edge: CompiledEdge;
}): { readonly rows: string; readonly tick: string; readonly first: string } {
  const inKey = (column: string) => from.keyKind !== 'row' && from.key.some((part) => part.name === column);
  if (!edge.fromColumns.every(inKey))
    return {
      rows: `${from.found} p ${from.dialect.joinFromFew} ${from.table} a on ${matchesKey(from, 'a', 'p')}`,
      tick: 'p.tick',
      first: 'p.k1',
    };
  const columns = from.key.map((part, index) => `p.k${index + 1} as ${quoteIdentifier(part.name)}`);
  return {
    rows: `(select ${columns.join(', ')}, p.tick as habeas_tick from ${from.found} p) a`,
    tick: 'a.habeas_tick',
    first: `a.${quoteIdentifier(from.key[0]?.name ?? '')}`,
  };
}

/** Whether a row of a table of found rows that the statement calls `alias` belongs to one of these groups. */
export function inGroups(alias: string, groups: readonly FoundGroup[]): string {
  const conditions = groups.map(
    (group) =>
      `(${alias}.bits = ${group.bits} and (${alias}.tick is not null) = ${group.isOwn} and (${alias}.pending and ${alias}.tick is null) = ${group.isShared})`,
  );
  return conditions.length === 0 ? 'false' : `(${conditions.join(' or ')})`;
}
