import { type CompiledMask, keyNames } from './compiled.ts';
import type { Effect } from './effect.ts';
import { isInSet, type KeySet, pointsAsStored } from './key-set.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** Whether a value that the effect targets can still be read in the row: a mask that is not there, or a reference that is. */
export function isReadable(options: {
  readonly effect: Effect;
  readonly row: string;
  /** Whether a reference that the effect empties still leads to the person. */
  readonly pointsAtPerson: (cut: Effect['cuts'][number]) => string;
}): string {
  const { effect, row } = options;
  if (effect.action?.kind === 'delete') return 'true';
  const conditions = [
    ...masksOf(effect).map((mask) => isUnmasked(mask, row)),
    ...effect.cuts
      .filter((cut) => cut.columns.length > 0 || cut.masks.length > 0)
      .flatMap((cut) => [
        ...(cut.columns.length > 0 ? [options.pointsAtPerson(cut)] : []),
        ...cut.masks.map((mask) => isUnmasked(mask, row)),
      ]),
  ];
  return conditions.length === 0 ? 'false' : `(${conditions.join(' or ')})`;
}

/** Masks fields and empties references of the rows of a set; undefined when nothing is to be changed. Changes nothing twice. */
export function updateRows(set: KeySet): string | undefined {
  const { collection, effect } = set;
  const assignments = new Map<string, string>();
  // Only then does a new value depend on another column than its own.
  const readsOthers =
    effect.cuts.some(({ columns }) => columns.length > 1) ||
    masksOf(effect).some(({ isOver }) => isOver !== undefined);
  const formerRow = readsOthers ? collection.dialect.formerRow : 't';
  const mark = (mask: CompiledMask) => {
    const column = quoteIdentifier(mask.column.name);
    const unmasked = isUnmasked(mask, 't', formerRow);
    assignments.set(column, `case when ${unmasked} then ${mask.value} else t.${column} end`);
  };
  for (const cut of effect.cuts) {
    for (const mask of cut.masks) mark(mask);
    for (const { name } of cut.emptied) {
      const column = quoteIdentifier(name);
      assignments.set(
        column,
        `case when ${pointsAsStored(collection, cut, formerRow)} then null else t.${column} end`,
      );
    }
  }
  for (const mask of masksOf(effect)) mark(mask);
  if (assignments.size === 0) return undefined;
  const changed = isReadable({
    effect,
    row: 't',
    pointsAtPerson: (cut) => pointsAsStored(collection, cut, 't'),
  });
  return collection.dialect.update({
    table: collection.table,
    alias: 't',
    set: [...assignments],
    former: readsOthers ? [...collection.live.columns.keys()] : [],
    from: `${set.source} e`,
    where: `${isInSet(set, 't')} and ${changed}`,
  });
}

/** Deletes the rows of a set, except those that one of `absent` points at. */
export function deleteRows(
  set: KeySet,
  absent: readonly { readonly row: string; readonly column: string; readonly on: string }[] = [],
): string {
  const { collection, array } = set;
  const [part] = collection.key;
  if (array !== undefined && part !== undefined && absent.length === 0) {
    return `delete from ${collection.table} t where ${part.sql('t')} = any(${array})`;
  }
  return collection.dialect.delete({
    table: collection.table,
    alias: 't',
    from: `${set.source} e`,
    where: isInSet(set, 't'),
    key: {
      own: collection.key.map((own) => own.sql('t')),
      of: keyNames(collection).map((name) => `e.${name}`),
      condition: set.condition,
    },
    absent,
  });
}

/** Deletes the rows of a set in the way that the store likes best, and counts them. */
export async function deleteSet(transaction: SqlTransaction, set: KeySet): Promise<number> {
  const { collection, parts } = set;
  const key = collection.key.map((part) => part.sql('t'));
  if (parts === undefined || key.length === 1 || transaction.deleteKeys === undefined)
    return await transaction.change(deleteRows(set), set.values);
  return await transaction.deleteKeys({ table: collection.table, key }, parts.slice(0, key.length));
}

/** Locks the rows of a set in the order of their keys, so that two erasures never wait for each other in a circle. */
export async function lockRows(transaction: SqlTransaction, set: KeySet): Promise<void> {
  const { collection } = set;
  const lock = collection.dialect.lock({
    rows: `${collection.table} t join ${set.source} e on ${isInSet(set, 't')}`,
    alias: 't',
    order: keyNames(collection)
      .map((name) => `e.${name}`)
      .join(', '),
  });
  if (lock !== undefined) await transaction.rows(lock, set.values);
}

export function masksOf(effect: Effect): readonly CompiledMask[] {
  return effect.action !== undefined && 'masks' in effect.action ? effect.action.masks : [];
}

/** `former`: the row as it was, where other columns of it may have been changed. */
function isUnmasked(mask: CompiledMask, row: string, former = row): string {
  const unmasked = `not ${mask.isMasked(row)}`;
  return mask.isOver === undefined ? `(${unmasked})` : `(${unmasked} and ${mask.isOver(former)})`;
}
