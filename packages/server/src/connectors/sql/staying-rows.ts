import type { CompiledCollection, CompiledForeignKey } from './compiled.ts';
import { stays } from './effect.ts';
import { foundRows, inGroups } from './found-rows.ts';
import type { FoundGroup, Search } from './search.ts';

/**
 * A row that is kept or masked may point at a row that was to be deleted, and the store's foreign key forbids that. Such a row
 * is not deleted but masked (`stay`), and so are the rows that it points at in turn. First, rows whose own date has ended a duty to
 * keep are let go.
 */
export async function keepReferencedRows(traversal: Search): Promise<void> {
  for (const collection of traversal.found) await letExpiredRowsGo(traversal, collection);
  const foreignKeys = traversal.compiled.foreignKeys.filter(
    ({ child, parent, mayKeepParent }) =>
      mayKeepParent && traversal.hasTouched(child) && traversal.hasTouched(parent),
  );
  for (let kept = 1; kept > 0; ) {
    kept = 0;
    for (const foreignKey of foreignKeys) kept += await keepParents(traversal, foreignKey);
  }
}

async function letExpiredRowsGo(traversal: Search, collection: CompiledCollection): Promise<void> {
  for (const [index, action] of collection.actions.entries()) {
    if (action.kind !== 'keep' || action.isOver === undefined) continue;
    const deletion = collection.actions.findIndex(
      (candidate) => candidate.kind === 'delete' || ('hides' in candidate && candidate.hides),
    );
    const bit = 2 ** index;
    await traversal.transaction.change(
      collection.dialect.updateFound(
        collection,
        { column: 'bits', value: (of) => `(${of} - ${bit}) | ${2 ** deletion}` },
        `(f.bits & ${bit}) <> 0 and ${action.isOver('t')}`,
      ),
    );
  }
}

async function keepParents(traversal: Search, foreignKey: CompiledForeignKey): Promise<number> {
  const child = traversal.compiled.collections.get(foreignKey.child);
  const parent = traversal.compiled.collections.get(foreignKey.parent);
  if (child === undefined || parent === undefined) return 0;
  const stay = parent.actions.findIndex((action) => action.kind === 'stay');
  if (stay < 0 || parent.leaf !== undefined) return 0;
  const pointing = (await traversal.groups(child)).filter(
    (group) => stays(group.effect) && !lets(group, foreignKey),
  );
  if (pointing.length === 0) return 0;
  const doomed = (await traversal.groups(parent)).filter((group) => !stays(group.effect));
  if (doomed.length === 0) return 0;
  const children = foundRows(child, 'c');
  return await traversal.transaction.change(
    parent.dialect.updateFound(
      parent,
      { column: 'bits', value: (of) => `${of} | ${2 ** stay}` },
      `${inGroups('f', doomed)}
        and exists (
          select 1 from ${children.from}
           where ${children.isIn(pointing)} and ${foreignKey.condition('c', 't')})`,
    ),
  );
}

/** Whether the effect empties one of the foreign key's columns, so that it points nowhere. */
function lets({ effect }: FoundGroup, foreignKey: CompiledForeignKey): boolean {
  const masks = effect.action !== undefined && 'masks' in effect.action ? effect.action.masks : [];
  const emptied = [
    ...masks
      .filter((mask) => mask.value === 'null' && mask.isOver === undefined)
      .map((mask) => mask.column.name),
    ...effect.cuts.flatMap((cut) => cut.emptied.map((column) => column.name)),
  ];
  return foreignKey.columns.some((column) => emptied.includes(column));
}
