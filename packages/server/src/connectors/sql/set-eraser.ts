import type { EraseMode, Retained } from '../connector.ts';
import { deleteRows, deleteSet, isReadable, lockRows, updateRows } from './change-sql.ts';
import { type Compiled, type CompiledForeignKey, keyNames, matchesKey } from './compiled.ts';
import { Effects } from './effects.ts';
import { addHidden, hiddenRows } from './hidden-rows.ts';
import { isAlone } from './is-alone.ts';
import { isInSet, type KeySet, pointsAsStored, rowsOfSet } from './key-set.ts';
import { quoteIdentifier } from './quote.ts';
import { retainedRows } from './retained.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/**
 * Erases sets of keys, or counts them, and keeps the sums.
 *
 * Locks are taken in one order, so that two erasures never wait for each other in a circle: collections in the order of the plan, rows in
 * the order of their keys. The stored keys are sorted, and where a store can be told to, it walks through them one by one and looks each
 * row up by its key.
 */
export class SetEraser {
  readonly counts: Record<string, number> = {};
  readonly effects = new Effects();
  readonly retained: Retained[] = [];
  /** Rows that are only marked as deleted. */
  readonly hidden: Record<string, number> = {};
  readonly notes = new Set<string>();
  readonly #transaction: SqlTransaction;
  readonly #compiled: Compiled;
  readonly #mode: EraseMode;
  readonly #countsGone: boolean;
  #walking: 'in key order' | 'freely' = 'freely';

  constructor(options: {
    readonly transaction: SqlTransaction;
    readonly compiled: Compiled;
    readonly mode: EraseMode;
    /** Whether rows that are gone, or masked, were so by an attempt whose answer was lost, and count. */
    readonly countsGone: boolean;
  }) {
    this.#transaction = options.transaction;
    this.#compiled = options.compiled;
    this.#mode = options.mode;
    this.#countsGone = options.countsGone && options.mode === 'erase';
  }

  /** Whether there was any key at all. */
  get matched(): boolean {
    return Object.keys(this.counts).length > 0;
  }

  /** Counts the keys of a set in a table. */
  async countFound({ collection, source, condition }: KeySet): Promise<void> {
    const count = collection.dialect.text('count(*)');
    const [row] = await this.#transaction.rows(`select ${count} from ${source} e where ${condition}`);
    this.effects.found(collection.name, Number(row?.[0] ?? 0));
  }

  /** Masks fields and empties references. */
  async update(set: KeySet): Promise<void> {
    if (this.#mode === 'dry-run') return await this.#count(set);
    this.#add(set, 0);
    const update = updateRows(set);
    if (update === undefined) return;
    await this.#countMasked(set);
    await this.#walkInKeyOrder([set]);
    this.#add(set, await this.#transaction.change(update, set.values));
  }

  /** Removes the rows of those sets that say so, although they may point at each other. */
  async delete(sets: readonly KeySet[]): Promise<void> {
    const doomed = sets.filter((set) => set.effect.action?.kind === 'delete');
    const [only] = doomed;
    if (this.#mode === 'dry-run' || only === undefined) return;
    for (const set of doomed) await this.#countGone(set);
    await this.#walkInKeyOrder(doomed);
    const { checksForeignKeys } = this.#compiled.dialect;
    const circle = checksForeignKeys === 'at each row' ? this.#foreignKeysAmong(doomed) : [];
    if (circle.length > 0) return await this.#deleteInRounds(doomed, circle);
    if (doomed.length === 1 || checksForeignKeys !== 'at the end') {
      for (const set of doomed) this.#add(set, await deleteSet(this.#transaction, set));
      return;
    }
    // The parts of one statement run in an order of PostgreSQL's own.
    for (const set of doomed) await lockRows(this.#transaction, set);
    const deletions = doomed.map((set, index) => `d${index} as (${deleteRows(set)} returning 1)`);
    const sums = doomed.map((_, index) => this.#compiled.dialect.text(`(select count(*) from d${index})`));
    const [row] = await this.#transaction.rows(`with ${deletions.join(', ')} select ${sums.join(', ')}`);
    for (const [index, set] of doomed.entries()) this.#add(set, Number(row?.[index] ?? 0));
  }

  /** Whether a set is erased by a deletion and nothing else, so that nobody need wait for it but who commits. */
  isDeletedAtOnce({ effect }: KeySet): boolean {
    const isPlain = this.#mode === 'erase' && !this.#countsGone && effect.action?.kind === 'delete';
    return isPlain && this.#transaction.queues === true;
  }

  /** Hands the deletion of such a set over, before it returns. */
  async deleteAtOnce(set: KeySet): Promise<void> {
    this.#add(set, await deleteSet(this.#transaction, set));
  }

  /** Foreign keys by which rows of these sets may point at each other. */
  #foreignKeysAmong(sets: readonly KeySet[]): readonly CompiledForeignKey[] {
    const names = new Set(sets.map(({ collection }) => collection.name));
    return this.#compiled.foreignKeys.filter(({ child, parent }) => names.has(child) && names.has(parent));
  }

  /**
   * For stores that check foreign keys row by row. References that may be empty are emptied first; of what is left, rows that no other
   * row points at go, as long as there are any.
   *
   *     message 1 ◀── message 2 ◀── message 3        emptied: all three go in one round
   *     part 1 ◀── part 2 ◀── part 3 (not null)      part 3, then part 2, then part 1
   */
  async #deleteInRounds(sets: readonly KeySet[], foreignKeys: readonly CompiledForeignKey[]): Promise<void> {
    const { dialect, collections } = this.#compiled;
    const left: CompiledForeignKey[] = [];
    for (const foreignKey of foreignKeys) {
      const child = collections.get(foreignKey.child);
      const emptied = foreignKey.columns.filter(
        (name) =>
          child?.live.columns.get(name)?.notNull === false && !child.key.some((part) => part.name === name),
      );
      if (emptied.length === 0) left.push(foreignKey);
      for (const set of emptied.length === 0 ? [] : sets.filter(({ collection }) => collection === child))
        await this.#transaction.change(
          dialect.update({
            table: set.collection.table,
            alias: 't',
            set: emptied.map((name) => [quoteIdentifier(name), 'null'] as const),
            from: `${set.source} e`,
            where: isInSet(set, 't'),
          }),
          set.values,
        );
    }
    for (let deleted = left.length > 0 ? 1 : 0; deleted > 0; ) {
      deleted = 0;
      for (const set of sets) {
        const absent = left
          .filter(({ parent }) => parent === set.collection.name)
          .map(({ child, columns, condition }, index) => ({
            row: `${collections.get(child)?.table} p${index}`,
            column: `p${index}.${quoteIdentifier(columns[0] ?? '')}`,
            on: condition(`p${index}`, 't'),
          }));
        const count = await this.#transaction.change(deleteRows(set, absent), set.values);
        this.#add(set, count);
        deleted += count;
      }
    }
    // What is left points at itself for good; the store says so.
    for (const set of sets) this.#add(set, await deleteSet(this.#transaction, set));
  }

  /**
   * Erases what several people reached and nobody reaches any more. Comes last: the rows are locked, so that of two erasures at the same time
   * the second one sees what the first one did. The set's keys have to lie in a temporary table.
   */
  async release(set: KeySet): Promise<void> {
    const { whenAlone } = set.effect;
    if (this.#mode === 'dry-run' || whenAlone === undefined) return;
    await lockRows(this.#transaction, set);
    await this.#walk('freely');
    await this.#transaction.change(
      this.#compiled.dialect.delete({
        table: set.source,
        alias: 'e',
        from: `${set.collection.table} t`,
        where: `${isInSet(set, 't')} and not ${isAlone(this.#compiled, set.collection, 't')}`,
      }),
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
    const { collection, effect } = set;
    const retained = await retainedRows(this.#transaction, set);
    this.retained.push(...retained);
    for (const { count } of retained) this.effects.changed(collection.name, 'kept', count);
    addHidden(this.hidden, collection.name, await hiddenRows(this.#transaction, set));
    if (collection.remarks.keyless !== undefined) this.notes.add(collection.remarks.keyless);
    if (effect.action?.kind === 'stay') {
      this.notes.add(
        `Rows of ${collection.name} that rows which stay point at were masked instead of deleted.`,
      );
    }
  }

  async #count(set: KeySet): Promise<void> {
    this.#add(set, await this.#countRows(set, changedIn(set)));
  }

  async #countMasked(set: KeySet): Promise<void> {
    if (this.#countsGone)
      this.#add(set, await this.#countRows(set, `case when ${changedIn(set)} then 0 else 1 end = 1`));
  }

  async #countGone(set: KeySet): Promise<void> {
    if (!this.#countsGone) return;
    const { collection, source, condition, values } = set;
    const names = keyNames(collection).map((name) => `e.${name}`);
    const [row] = await this.#transaction.rows(
      `select ${collection.dialect.text('count(*)')} from (select distinct ${names.join(', ')} from ${source} e where ${condition}) e
       where not exists (select 1 from ${collection.table} t where ${matchesKey(collection, 't', 'e')})`,
      values,
    );
    this.#add(set, Number(row?.[0] ?? 0));
  }

  async #countRows(set: KeySet, condition: string): Promise<number> {
    const count = set.collection.dialect.text('count(*)');
    const [row] = await this.#transaction.rows(
      `select ${count} ${rowsOfSet(set)} where ${condition}`,
      set.values,
    );
    return Number(row?.[0] ?? 0);
  }

  #add(set: KeySet, rows: number): void {
    const { collection, effect } = set;
    this.counts[collection.name] = (this.counts[collection.name] ?? 0) + rows;
    this.effects.changed(collection.name, effect.action?.kind === 'delete' ? 'erased' : 'masked', rows);
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
    await this.#transaction.script(this.#compiled.dialect.walk(how));
  }
}

/** Whether something of a row is still to be masked or emptied. */
function changedIn({ collection, effect }: KeySet): string {
  return isReadable({ effect, row: 't', pointsAtPerson: (cut) => pointsAsStored(collection, cut, 't') });
}
