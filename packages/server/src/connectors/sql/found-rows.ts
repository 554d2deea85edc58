import { type CompiledCollection, type CompiledEdge, matchesKey } from './compiled.ts';
import { quoteIdentifier } from './quote.ts';

/**
 * `from …` with the rows of a collection that were found: what is remembered of each is `s`, the row itself has the given alias.
 *
 * A leaf leads nowhere and is found in one way only. Its keys are never needed twice, so nothing is remembered: its rows are read
 * through those of the collection that leads to it.
 */
export function foundRows(collection: CompiledCollection, row: string): string {
  const { leaf } = collection;
  if (leaf === undefined) {
    return `${collection.found} s join ${collection.table} ${row} on ${matchesKey(collection, row, 's')}`;
  }
  const key = collection.key.map((part, index) => `${part.sql(row)} as k${index + 1}`);
  return `${rowsToFollow({ ...leaf, found: 'p' })}
    join ${collection.table} ${row} on ${leaf.edge.condition('a', row)} and p.tick is not null
    cross join lateral (select ${key.join(', ')}, ${leaf.edge.bits} as bits, 1 as tick, false as pending) s`;
}

/** `from …` with the found rows of an edge's source as `a`. Their table is not read when the stored key has all that is needed. */
export function rowsToFollow(options: {
  readonly from: CompiledCollection;
  readonly edge: CompiledEdge;
  /** The alias of what is remembered of them. */
  readonly found: string;
}): string {
  const { from, edge, found } = options;
  const inKey = (column: string) => from.keyKind !== 'row' && from.key.some((part) => part.name === column);
  if (!from.dialect.hasLateral || !edge.fromColumns.every(inKey)) {
    return `${from.found} ${found} join ${from.table} a on ${matchesKey(from, 'a', found)}`;
  }
  const columns = from.key.map((part, index) => `${found}.k${index + 1} as ${quoteIdentifier(part.name)}`);
  return `${from.found} ${found} cross join lateral (select ${columns.join(', ')}) a`;
}
