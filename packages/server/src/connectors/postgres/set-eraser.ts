import type { EraseMode, Retained } from '../connector.ts';
import { deleteRows, isReadable, lockRows, updateRows } from './change-sql.ts';
import type { Compiled } from './compiled.ts';
import { addHidden, hiddenRows } from './hidden-rows.ts';
import { isAlone } from './is-alone.ts';
import { isInSet, type KeySet, pointsAsStored } from './key-set.ts';
import { retainedRows } from './retained.ts';
import type { Transaction } from './transaction.ts';

/**
 * Erases sets of keys, or counts them, and keeps the sums.
 *
 * Locks are taken in one order, so that two erasures never wait for each other in a circle: collections in the order of the plan, rows in
 * the order of their keys. The stored keys are sorted, and without the two other ways to join and to read a table, PostgreSQL walks
 * through them one by one and looks each row up by its key.
 */
export class SetEraser {
  readonly counts: Record<string, number> = {};
  readonly retained: Retained[] = [];
  /** Rows that are only marked as deleted. */
  readonly hidden: Record<string, number> = {};
  readonly notes = new Set<string>();
  readonly #transaction: Transaction;
  readonly #mode: EraseMode;
  #walking: 'in key order' | 'freely' = 'freely';

  constructor(transaction: Transaction, mode: EraseMode) {
    this.#transaction = transaction;
    this.#mode = mode;
  }

  /** Whether there was any key at all. */
  get matched(): boolean {
    return Object.keys(this.counts).length > 0;
  }

  /** Masks fields and empties references. */
  async update(set: KeySet): Promise<void> {
    if (this.#mode === 'dry-run') return await this.#count(set);
    this.#add(set, 0);
    const update = updateRows(set);
    if (update === undefined) return;
    await this.#walkInKeyOrder([set]);
    this.#add(set, await this.#transaction.change(update, set.values));
  }

  /** Removes the rows of those sets that say so, in one statement, because foreign keys are checked at its end. */
  async delete(sets: readonly KeySet[]): Promise<void> {
    const doomed = sets.filter((set) => set.effect.action?.kind === 'delete');
    const [only] = doomed;
    if (this.#mode === 'dry-run' || only === undefined) return;
    await this.#walkInKeyOrder(doomed);
    if (doomed.length === 1) {
      this.#add(only, await this.#transaction.change(deleteRows(only), only.values));
      return;
    }
    // The parts of one statement run in an order of PostgreSQL's own.
    for (const set of doomed) await this.#transaction.rows(lockRows(set));
    const deletions = doomed.map((set, index) => `d${index} as (${deleteRows(set)} returning 1)`);
    const sums = doomed.map((_, index) => `(select count(*) from d${index})::text`);
    const [row] = await this.#transaction.rows(`with ${deletions.join(', ')} select ${sums.join(', ')}`);
    for (const [index, set] of doomed.entries()) this.#add(set, Number(row?.[index] ?? 0));
  }

  /**
   * Erases what several people reached and nobody reaches any more. Comes last: the rows are locked, so that of two erasures at the same time
   * the second one sees what the first one did. The set's keys have to lie in a temporary table.
   */
  async release(set: KeySet, compiled: Compiled): Promise<void> {
    const { whenAlone } = set.effect;
    if (this.#mode === 'dry-run' || whenAlone === undefined) return;
    await this.#transaction.rows(lockRows(set));
    await this.#walk('freely');
    await this.#transaction.change(
      `delete from ${set.source} e using ${set.collection.table} t
        where ${isInSet(set, 't')} and not ${isAlone(compiled, set.collection, 't')}`,
    );
    const alone: KeySet = {
      ...set,
      effect: { name: whenAlone.name, action: whenAlone, whenAlone: undefined, cuts: [] },
    };
    await this.update(alone);
    await this.delete([alone]);
    addHidden(this.hidden, set.collection.name, await hiddenRows(this.#transaction, alone));
  }

  /** Counts what the set's effect leaves, and why. */
  async retain(set: KeySet): Promise<void> {
    const { collection, effect, values } = set;
    const rows = `from ${collection.table} t where exists (select from ${set.source} e where ${isInSet(set, 't')})`;
    this.retained.push(
      ...(await retainedRows({ transaction: this.#transaction, collection, effect, rows, values })),
    );
    addHidden(this.hidden, collection.name, await hiddenRows(this.#transaction, set));
    if (collection.remarks.keyless !== undefined) this.notes.add(collection.remarks.keyless);
    if (effect.action?.kind === 'stay') {
      this.notes.add(
        `Rows of ${collection.name} that rows which stay point at were masked instead of deleted.`,
      );
    }
  }

  async #count(set: KeySet): Promise<void> {
    const { collection, effect } = set;
    const changed = isReadable({
      effect,
      row: 't',
      pointsAtPerson: (cut) => pointsAsStored(collection, cut, 't'),
    });
    const [row] = await this.#transaction.rows(
      `select count(*)::text from ${collection.table} t
        where exists (select from ${set.source} e where ${isInSet(set, 't')} and ${changed})`,
      set.values,
    );
    this.#add(set, Number(row?.[0] ?? 0));
  }

  #add(set: KeySet, rows: number): void {
    this.counts[set.collection.name] = (this.counts[set.collection.name] ?? 0) + rows;
  }

  async #walkInKeyOrder(sets: readonly KeySet[]): Promise<void> {
    const hasIndex = sets.every(
      (set) => set.collection.keyKind === 'primary' || set.collection.keyKind === 'unique',
    );
    await this.#walk(hasIndex ? 'in key order' : 'freely');
  }

  async #walk(how: 'in key order' | 'freely'): Promise<void> {
    if (how === this.#walking) return;
    this.#walking = how;
    const setting = how === 'freely' ? 'on' : 'off';
    await this.#transaction.script([
      `set local enable_hashjoin = ${setting}`,
      `set local enable_mergejoin = ${setting}`,
      `set local enable_seqscan = ${setting}`,
      `set local enable_bitmapscan = ${setting}`,
    ]);
  }
}
