import { compareIdentity, isIdentified } from './compare-identity.ts';
import { type CompiledCollection, matchesKey } from './compiled.ts';
import type { Search } from './search.ts';

/**
 * Decides which rows that were found by a shared reference nobody else reaches: those become the person's and are followed.
 * A row stays blocked while
 * - a row that is not the person's leads to it by any reference that is followed,
 * - a row that is itself blocked leads to it,
 * - it holds an identity of somebody else.
 *
 *     customer 1 (person) ──▶ address 7 ◀── customer 2          blocked: customer 2 is somebody else's
 *     customer 1 (person) ──▶ address 8 ◀── order 5 (person)    released: both are the person's
 *
 * Rows that only wait for each other are released together: blocking starts from rows outside, and spreads.
 * Returns whether any row was released.
 */
export async function releaseSharedRows(traversal: Search): Promise<boolean> {
  const { transaction, compiled } = traversal;
  const waiting = [...compiled.collections.values()].filter(
    (collection) =>
      traversal.hasTouched(collection.name) &&
      collection.incoming.some((edge) => edge.follows && edge.share === 'shared'),
  );
  if (waiting.length === 0) return false;
  await traversal.prepare(
    waiting.flatMap((collection) =>
      collection.incoming.flatMap((edge) => compiled.collections.get(edge.from) ?? []),
    ),
  );
  for (const collection of waiting) {
    await transaction.script([`update ${collection.found} set blocked = false where blocked`]);
  }
  for (const collection of waiting) await blockByIdentity(traversal, collection);
  for (let blocked = 1; blocked > 0; ) {
    blocked = 0;
    for (const collection of waiting) blocked += await blockByRows(traversal, collection);
  }
  let released = 0;
  for (const collection of waiting) {
    const tick = traversal.nextTick();
    const count = await transaction.change(
      `update ${collection.found} set tick = ${tick} where pending and tick is null and not blocked`,
    );
    if (count > 0) traversal.markFollowed(collection.name, tick);
    released += count;
  }
  return released > 0;
}

const BLOCK = { column: 'blocked', value: () => 'true' };

async function blockByIdentity(traversal: Search, collection: CompiledCollection): Promise<void> {
  for (const root of collection.roots) {
    const comparison = compareIdentity(collection, root, traversal.valuesOf(root.identity.type));
    const isOther = comparison === undefined ? 'true' : `not (${comparison.sql('t')})`;
    await traversal.transaction.change(
      collection.dialect.updateFound(
        collection,
        BLOCK,
        `f.pending and f.tick is null and not f.blocked
          and ${isIdentified(root, 't')} and ${isOther}`,
      ),
      comparison?.values,
    );
  }
}

async function blockByRows(traversal: Search, collection: CompiledCollection): Promise<number> {
  let blocked = 0;
  for (const edge of collection.incoming) {
    const from = traversal.compiled.collections.get(edge.from);
    if (from === undefined || !edge.follows) continue;
    blocked += await traversal.transaction.change(
      collection.dialect.updateFound(
        collection,
        BLOCK,
        `f.pending and f.tick is null and not f.blocked
          and exists (
            select 1 from ${from.table} a
             where ${edge.condition('a', 't')}
               and not exists (
                 select 1 from ${from.found} s
                  where ${matchesKey(from, 'a', 's')} and (s.tick is not null or (s.pending and not s.blocked))))`,
      ),
    );
  }
  return blocked;
}
