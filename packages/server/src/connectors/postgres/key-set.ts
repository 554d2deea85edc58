import { type CompiledCollection, type CompiledCut, matchesKey } from './compiled.ts';
import type { Effect } from './effect.ts';
import type { KeyChunk } from './key-chunks.ts';
import { isPlain } from './plain-types.ts';
import { quoteIdentifier } from './quote.ts';
import type { Transaction } from './transaction.ts';

/** Stored keys of one collection with one effect, as a statement reads them. */
export interface KeySet {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  /** What stands in `from …`; statements call it `e`. */
  readonly source: string;
  /** The parameters of the source, `$1` and so on. */
  readonly values: readonly unknown[];
  /** Which rows of the source belong to the set. */
  readonly condition: string;
  /** The keys as one array, where a key is one value that is sent: an index then is walked along once. */
  readonly array: string | undefined;
}

/** Keys that are sent with each statement. */
export function setOfChunk(chunk: KeyChunk): KeySet {
  const { collection, effect } = chunk;
  const { columns, parameters, names } = storedColumns(chunk);
  const selected = columns.map(({ name }, index) => parameters[index]?.cast(name) ?? name);
  return {
    collection,
    effect,
    source: `(select ${selected.map((value, index) => `${value} as ${columns[index]?.name}`).join(', ')}
                from unnest(${parameters.map(({ sql }) => sql).join(', ')}) u(${names}))`,
    values: parameters.map(({ value }) => value),
    condition: 'true',
    array: columns.length === 1 && isPlain(columns[0]?.type ?? '') ? parameters[0]?.sql : undefined,
  };
}

/**
 * Puts keys into temporary tables, for what needs all of them at once. A key that was found twice with different treatments is treated
 * as it was found last.
 */
export class KeyTables {
  readonly #transaction: Transaction;
  readonly #numbers = new Map<
    string,
    { readonly number: number; readonly collection: CompiledCollection; readonly effect: Effect }
  >();
  readonly #created = new Set<CompiledCollection>();
  #sequence = 0;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  async add(chunk: KeyChunk): Promise<true> {
    const { collection, effect } = chunk;
    if (!this.#created.has(collection)) {
      this.#created.add(collection);
      await this.#transaction.script([createTable(collection)]);
    }
    const name = JSON.stringify([collection.name, effect.name]);
    const known = this.#numbers.get(name) ?? { number: this.#numbers.size, collection, effect };
    this.#numbers.set(name, known);
    this.#sequence += 1;
    const set = setOfChunk(chunk);
    const { names } = storedColumns(chunk);
    await this.#transaction.change(
      `insert into ${tableOf(collection)} (${names}, effect, sequence)
       select ${names}, ${known.number}, ${this.#sequence} from ${set.source} e`,
      set.values,
    );
    return true;
  }

  async sets(): Promise<readonly KeySet[]> {
    const entries = [...this.#numbers.values()];
    const several = entries
      .map(({ collection }) => collection)
      .filter((collection, index, all) => all.indexOf(collection) !== index);
    for (const collection of new Set(several)) {
      const table = tableOf(collection);
      await this.#transaction.change(
        `delete from ${table} e using ${table} later
          where ${collection.key.map((_, index) => `e.k${index + 1} = later.k${index + 1}`).join(' and ')}
            and later.sequence > e.sequence and later.effect <> e.effect`,
      );
    }
    return entries.map(({ collection, effect, number }) => ({
      collection,
      effect,
      source: tableOf(collection),
      values: [],
      condition: `e.effect = ${number}`,
      array: undefined,
    }));
  }
}

/** `t.id = e.k1`, for the rows of a set. */
export function isInSet(set: KeySet, row: string): string {
  return `${matchesKey(set.collection, row, 'e')} and ${set.condition}`;
}

/** Whether the row still points where the stored key says; an application may have set another reference since. */
export function pointsAsStored(collection: CompiledCollection, cut: CompiledCut, row: string): string {
  const index = collection.cuts.indexOf(cut);
  const pairs = cut.columns.map(
    (column, position) => `${row}.${quoteIdentifier(column.name)}::text = e.c${index}_${position}`,
  );
  return pairs.length === 0 ? 'true' : `(${pairs.join(' and ')})`;
}

interface ArrayParameter {
  readonly sql: string;
  readonly value: string;
  readonly cast: (column: string) => string;
}

function storedColumns(chunk: KeyChunk) {
  const { collection, effect, arrays } = chunk;
  const columns = [
    ...collection.key.map((part, index) => ({ name: `k${index + 1}`, type: part.type })),
    ...effect.cuts.flatMap((cut) =>
      cut.columns.map((_, index) => ({ name: `c${collection.cuts.indexOf(cut)}_${index}`, type: 'text' })),
    ),
  ];
  const parameters = columns.map(({ type }, index) => arrayParameter(type, arrays[index] ?? [], index + 1));
  return { columns, parameters, names: columns.map(({ name }) => name).join(', ') };
}

/** The keys as they are stored: texts of arrays, which PostgreSQL wrote and reads again, so that nothing here takes them apart. */
function arrayParameter(type: string, arrays: readonly string[], position: number): ArrayParameter {
  const value = `{${arrays.map((array) => array.slice(1, -1)).join(',')}}`;
  if (isPlain(type)) return { sql: `$${position}::${type}[]`, value, cast: (column) => column };
  const cast = type === 'text' ? (column: string) => column : (column: string) => `${column}::${type}`;
  return { sql: `$${position}::text[]`, value, cast };
}

function createTable(collection: CompiledCollection): string {
  const columns = [
    ...collection.key.map((part, index) => `k${index + 1} ${part.type} not null`),
    ...collection.cuts.flatMap((cut, cutIndex) =>
      cut.columns.map((_, index) => `c${cutIndex}_${index} text`),
    ),
  ];
  return `create temporary table if not exists ${tableOf(collection).replace('pg_temp.', '')}
    (${columns.join(', ')}, effect int not null, sequence int not null) on commit delete rows`;
}

/** Sessions live longer than datasets, so that the name says which columns the table has. */
function tableOf(collection: CompiledCollection): string {
  return `pg_temp.habeas_keys_${collection.signature}`;
}
