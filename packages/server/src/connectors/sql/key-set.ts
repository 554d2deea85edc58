import {
  type CompiledCollection,
  type CompiledCut,
  keyDefinitions,
  keyNames,
  matchesKey,
} from './compiled.ts';
import type { Effect } from './effect.ts';
import type { KeyChunk } from './key-chunks.ts';
import { quoteIdentifier } from './quote.ts';
import type { KeySource, StoredColumn } from './sql-dialect.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** Stored keys of one collection with one effect, as a statement reads them; statements call the source `e`. */
export interface KeySet extends KeySource {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  /** Which rows of the source belong to the set. */
  readonly condition: string;
}

/** Keys that are sent with each statement. */
export function setOfChunk({ collection, effect, arrays }: KeyChunk): KeySet {
  const source = collection.dialect.keySource(storedColumns(collection, effect), arrays);
  return Object.assign(source, { collection, effect, condition: 'true' });
}

/** Each set is put together while the store works with the one before. */
export async function* withSets(
  chunks: AsyncIterable<KeyChunk>,
): AsyncGenerator<{ readonly chunk: KeyChunk; readonly set: KeySet }> {
  for await (const chunk of chunks) yield { chunk, set: setOfChunk(chunk) };
}

/**
 * Puts keys into temporary tables, for what needs all of them at once. A key that was found twice with different treatments is treated
 * as it was found last.
 */
export class KeyTables {
  readonly #transaction: SqlTransaction;
  readonly #numbers = new Map<
    string,
    { readonly number: number; readonly collection: CompiledCollection; readonly effect: Effect }
  >();
  readonly #created = new Set<CompiledCollection>();
  #sequence = 0;

  constructor(transaction: SqlTransaction) {
    this.#transaction = transaction;
  }

  async add(chunk: KeyChunk): Promise<true> {
    const { collection, effect } = chunk;
    if (!this.#created.has(collection)) {
      this.#created.add(collection);
      await this.#transaction.script(createTable(collection));
    }
    const name = JSON.stringify([collection.name, effect.name]);
    const known = this.#numbers.get(name) ?? { number: this.#numbers.size, collection, effect };
    this.#numbers.set(name, known);
    this.#sequence += 1;
    const set = setOfChunk(chunk);
    const names = storedColumns(collection, effect).map((column) => column.name);
    await this.#transaction.change(
      `insert into ${tableOf(collection)} (${names.join(', ')}, effect, number)
       select ${names.map((column) => `e.${column}`).join(', ')}, ${known.number}, ${this.#sequence} from ${set.source} e`,
      set.values,
    );
    return true;
  }

  async sets(): Promise<readonly KeySet[]> {
    const entries = [...this.#numbers.values()];
    for (const collection of this.#created) {
      const table = tableOf(collection);
      await this.#transaction.change(
        collection.dialect.delete({
          table,
          alias: 'e',
          from: `${table} later`,
          where: `${keyNames(collection)
            .map((name) => `e.${name} = later.${name}`)
            .join(' and ')} and later.number > e.number`,
        }),
      );
    }
    return entries.map(({ collection, effect, number }) => ({
      collection,
      effect,
      source: tableOf(collection),
      values: [],
      condition: `e.effect = ${number}`,
    }));
  }
}

/** `from …` with the rows of a set as `t` and their stored keys as `e`, each row once. */
export function rowsOfSet(set: KeySet): string {
  const { collection, source, condition } = set;
  return `from (select distinct * from ${source} e where ${condition}) e join ${collection.table} t on ${matchesKey(collection, 't', 'e')}`;
}

/** `t.id = e.k1`, for the rows of a set. */
export function isInSet(set: KeySet, row: string): string {
  return `${matchesKey(set.collection, row, 'e')} and ${set.condition}`;
}

/** Whether the row still points where the stored key says; an application may have set another reference since. */
export function pointsAsStored(collection: CompiledCollection, cut: CompiledCut, row: string): string {
  const { dialect } = collection;
  const index = collection.cuts.indexOf(cut);
  const pairs = cut.columns.map((column, position) =>
    dialect.sameText(
      dialect.stored(column, `${row}.${quoteIdentifier(column.name)}`),
      `e.c${index}_${position}`,
    ),
  );
  return pairs.length === 0 ? 'true' : `(${pairs.join(' and ')})`;
}

function storedColumns(collection: CompiledCollection, effect: Effect): readonly StoredColumn[] {
  return [
    ...collection.key.map(({ column }, index) => ({ name: `k${index + 1}`, column })),
    ...effect.cuts.flatMap((cut) =>
      cut.columns.map((_, index) => ({
        name: `c${collection.cuts.indexOf(cut)}_${index}`,
        column: undefined,
      })),
    ),
  ];
}

function createTable(collection: CompiledCollection): readonly string[] {
  const { dialect } = collection;
  return dialect.createTemporary({
    name: tableName(collection),
    columns: [
      ...keyDefinitions(collection),
      ...collection.cuts.flatMap((cut, cutIndex) =>
        cut.columns.map((_, index) => `c${cutIndex}_${index} ${dialect.textType}`),
      ),
      'effect int not null',
      'number int not null',
    ],
    key: keyNames(collection),
    rows: 'several',
  });
}

/** Sessions live longer than datasets, so that the name says which columns the table has. */
function tableName(collection: CompiledCollection): string {
  return `habeas_keys_${collection.signature}`;
}

function tableOf(collection: CompiledCollection): string {
  return collection.dialect.temporary(tableName(collection));
}
