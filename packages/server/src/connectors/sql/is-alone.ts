import { isIdentified } from './compare-identity.ts';
import type { Compiled, CompiledCollection } from './compiled.ts';

/**
 * Whether nobody reaches a row any more: no row leads to it by a reference that is followed, it holds no identity, and no row of any table
 * points at it. Two people who are erased at the same time each see the other and leave the row; the one who comes second finds it alone.
 */
export function isAlone(compiled: Compiled, collection: CompiledCollection, row: string): string {
  const reached = collection.incoming.flatMap((edge) => {
    const from = compiled.collections.get(edge.from);
    if (from === undefined || !edge.follows) return [];
    return [`exists (select 1 from ${from.table} a where ${edge.condition('a', row)})`];
  });
  const identified = collection.roots.map((root) => isIdentified(root, row));
  const pointed = collection.pointedAt.map((isPointedAt) => isPointedAt(row));
  const ways = [...new Set([...reached, ...identified, ...pointed])];
  return ways.length === 0 ? 'true' : `not (${ways.join(' or ')})`;
}
