import { randomBytes } from 'node:crypto';
import type { EraseMode, Evidence, KeyBatch, Residual } from '../connector.ts';
import { deleteRows, isReadable, lockRows, updateRows } from './change-sql.ts';
import type { Compiled } from './compiled.ts';
import { retainedRows, sumRetained } from './retained.ts';
import { isInSet, type KeySet, loadKeys, pointsAsStored } from './stored-keys.ts';
import type { Transaction } from './transaction.ts';

export interface EraseOptions {
  readonly transaction: Transaction;
  readonly compiled: Compiled;
  readonly system: string;
  readonly keys: AsyncIterable<KeyBatch>;
  readonly now: Date;
  readonly residuals: readonly Residual[];
}

/** Erases exactly the stored keys. The caller commits; until then nothing has happened. */
export async function eraseRows(options: EraseOptions, mode: EraseMode): Promise<Evidence> {
  const { transaction, compiled } = options;
  await transaction.rows(`select set_config('habeas.now', $1, true)`, [options.now.toISOString()]);
  const sets = await loadKeys(options);
  const groups = groupSets(sets, compiled);
  const counts =
    mode === 'dry-run' ? await countRows(transaction, groups) : await changeRows(transaction, groups);
  const retained = [];
  for (const set of sets) {
    const { collection, effect } = set;
    const rows = `from ${collection.table} t where exists (select from ${set.table} e where ${isInSet(set, 't')})`;
    retained.push(...(await retainedRows({ transaction, collection, effect, rows })));
  }
  const matched = sets.length > 0;
  return {
    matched,
    counts,
    retained: sumRetained(retained),
    residuals: matched && mode === 'erase' ? options.residuals : [],
    notes: notesOn(sets),
  };
}

/** The sets in the order of erasure. Collections of one group refer to each other. */
function groupSets(sets: readonly KeySet[], compiled: Compiled): readonly (readonly KeySet[])[] {
  return compiled.order
    .map((group) => group.flatMap((name) => sets.filter((set) => set.collection.name === name)))
    .filter((group) => group.length > 0);
}

async function countRows(
  transaction: Transaction,
  groups: readonly (readonly KeySet[])[],
): Promise<Readonly<Record<string, number>>> {
  const counts = new Counts();
  for (const set of groups.flat()) {
    const { collection, effect } = set;
    const changed = isReadable({
      effect,
      row: 't',
      pointsAtPerson: (cut) => pointsAsStored(collection, cut, 't'),
    });
    const [row] = await transaction.rows(
      `select count(*)::text from ${collection.table} t
        where exists (select from ${set.table} e where ${isInSet(set, 't')} and ${changed})`,
    );
    counts.add(set, Number(row?.[0] ?? 0));
  }
  return counts.all;
}

/**
 * References and fields first, over all collections; then the rows, children before parents. The collections of a group that refer to
 * each other, and a collection that refers to itself, lose their rows in one statement, because foreign keys are checked at its end.
 *
 * Locks are taken in one order, so that two erasures never wait for each other in a circle: collections in the order of the plan, rows in
 * the order of their keys. The stored keys are sorted, and without the two other ways to join, PostgreSQL walks through them one
 * by one and looks each row up by its key.
 */
async function changeRows(
  transaction: Transaction,
  groups: readonly (readonly KeySet[])[],
): Promise<Readonly<Record<string, number>>> {
  const counts = new Counts();
  const salt = randomBytes(32).toString('hex');
  const inKeyOrder = async (sets: readonly KeySet[]): Promise<void> => {
    const hasIndex = sets.every(
      (set) => set.collection.keyKind === 'primary' || set.collection.keyKind === 'unique',
    );
    const setting = hasIndex ? 'off' : 'on';
    await transaction.script([
      `set local enable_hashjoin = ${setting}`,
      `set local enable_mergejoin = ${setting}`,
    ]);
  };
  for (const set of groups.flat()) {
    const update = updateRows(set);
    if (update === undefined) continue;
    await inKeyOrder([set]);
    counts.add(set, await transaction.change(update, update.includes('$1') ? [salt] : []));
  }
  for (const group of groups) {
    const doomed = group.filter((set) => set.effect.action?.kind === 'delete');
    await inKeyOrder(doomed);
    const [only] = doomed;
    if (doomed.length === 1 && only !== undefined) {
      counts.add(only, await transaction.change(deleteRows(only)));
    } else if (doomed.length > 1) {
      // The parts of one statement run in an order of PostgreSQL's own.
      for (const set of doomed) await transaction.rows(lockRows(set));
      const deletions = doomed.map((set, index) => `d${index} as (${deleteRows(set)} returning 1)`);
      const sums = doomed.map((_, index) => `(select count(*) from d${index})::text`);
      const [row] = await transaction.rows(`with ${deletions.join(', ')} select ${sums.join(', ')}`);
      for (const [index, set] of doomed.entries()) counts.add(set, Number(row?.[index] ?? 0));
    }
  }
  await transaction.script(['set local enable_hashjoin = on', 'set local enable_mergejoin = on']);
  return counts.all;
}

/** Rows per collection. A collection with a key but nothing to change counts zero. */
class Counts {
  readonly all: Record<string, number> = {};

  add(set: KeySet, rows: number): void {
    this.all[set.collection.name] = (this.all[set.collection.name] ?? 0) + rows;
  }
}

function notesOn(sets: readonly KeySet[]): readonly string[] {
  const notes = new Set<string>();
  for (const { collection, effect } of sets) {
    if (collection.remarks.keyless !== undefined) notes.add(collection.remarks.keyless);
    if (effect.action?.kind === 'stay') {
      notes.add(`Rows of ${collection.name} that rows which stay point at were masked instead of deleted.`);
    }
  }
  return [...notes];
}
