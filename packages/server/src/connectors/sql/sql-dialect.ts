import type { KeepUnit } from '../../catalog/index.ts';
import type { Comparison, SoughtValues } from './comparison.ts';
import type { LiveColumn, LiveElement, LiveTable } from './live-table.ts';
import type { SqlTransaction } from './sql-transaction.ts';

export interface ValuesToCompare extends SoughtValues {
  /** What is compared is of its type. */
  readonly column: LiveColumn;
}

/** A value inside a column. */
export interface InsideMask {
  readonly path: readonly string[];
  /** What it becomes; null: it is taken out. */
  readonly to: string | null;
}

export interface MaskSql {
  readonly value: string;
  readonly isMasked: (alias: string) => string;
}

/** A column of a set of stored keys. */
export interface StoredColumn {
  readonly name: string;
  /** The column of the key that it is; undefined: a text that stays one, such as what a reference pointed at. */
  readonly column: LiveColumn | undefined;
}

/** What stands in `from …` for keys that are sent with a statement. */
export interface KeySource {
  readonly source: string;
  /** The parameters of the source, `$1` and so on. */
  readonly values: readonly unknown[];
  /** The keys as one array, where a key is one value that is sent: an index then is walked along once. */
  readonly array?: string | undefined;
  /** Of keys with several parts: for each part a text of the dialect's own, where {@link SqlTransaction.deleteKeys} does better than a statement. */
  readonly parts?: readonly string[] | undefined;
  /** The first parts of all keys, where a row with none of them is sooner looked for than all keys. */
  readonly firsts?: FirstParts | undefined;
}

export interface FirstParts {
  /** What stands behind `from` for the rows of a table, `t`, of which the column `at` is one of them. */
  readonly rows: (table: string, at: string) => string;
  readonly values: readonly unknown[];
}

/** A collection with the temporary table of its rows that were found. */
export interface FoundTable {
  readonly table: string;
  readonly found: string;
  /** Whether a row can be found once only. */
  readonly isFoundOnce: boolean;
  readonly key: readonly { readonly sql: (alias: string) => string }[];
}

/** Rows of one table that another one tells. */
export interface JoinedChange {
  readonly table: string;
  readonly alias: string;
  /** `table alias`. */
  readonly from: string;
  readonly where: string;
}

/** What SQL says differently from store to store. Identifiers are quoted with `"` in all of them. */
export interface SqlDialect {
  /** As sentences name the store. */
  readonly name: string;
  /** Tables of this schema are named without it. */
  readonly plainSchema: string;

  tableOf(live: LiveTable): string;
  /** Joins two tables of which the first one has few rows, and so is read first. */
  readonly joinFromFew: string;
  /** The name of a temporary table in statements. */
  temporary(name: string): string;
  /** Makes the temporary table `name`, or empties it, at its first use in a transaction. */
  createTemporary(options: {
    readonly name: string;
    readonly columns: readonly string[];
    readonly key: readonly string[];
    /** `unique`: a row is added once. `once`: no row comes twice, and rows are read from end to end. `several`: neither. */
    readonly rows: 'unique' | 'once' | 'several';
  }): readonly string[];
  /** The type of a temporary table's column for a part of a key. */
  keyType(column: LiveColumn): string;
  readonly textType: string;

  /** Any value as text. */
  text(sql: string): string;
  /** A column's value as people read it; `at` is the column in a statement. */
  print(column: LiveColumn, at: string): string;
  /** A column's value as it is kept in key batches, so that {@link keySource} makes it again exactly. */
  stored(column: LiveColumn, at: string): string;
  /** The same of a part of a key in a batch; it need not become text where the store reads it again as it is. */
  storedKey(column: LiveColumn, at: string): string;
  /** Of a column that holds whole numbers, as far as its type tells, in a store where it may hold other values as well. (Default: types tell all) */
  readonly seemsWhole?: (column: LiveColumn) => boolean;
  /** Whether two texts of {@link stored} are the same. */
  sameText(a: string, b: string): string;
  /** The key of a row without one: a hash of all its values. */
  rowHash(alias: string, live: LiveTable): string;
  /** A text in the column's type. */
  typed(sql: string, column: LiveColumn): string;
  literal(text: string): string;
  /** True also for nothing. */
  isLiteral(column: LiveColumn, at: string, text: string): string;
  /**
   * Masks values inside a column of the row `t`, and leaves what else is in it. Undefined: the store cannot, or not in a column of this
   * type; the column is then masked as a whole.
   */
  maskInside(column: LiveColumn, values: readonly InsideMask[]): MaskSql | undefined;
  /**
   * The values at a path inside a column of JSON that are a text, a number or a boolean, each as text; lists on the way, and at its end, are
   * looked through. A number is without zeros behind its point. Undefined: the store cannot look into such a column, or not along this path.
   */
  inside(column: LiveColumn, path: readonly string[]): LiveElement | undefined;
  /** `b.x = a.y`, by the store's own idea of equality where both have one. */
  equal(a: LiveColumn, b: LiveColumn): (atA: string, atB: string) => string;
  /** Undefined when none of the values can be in such a column. An index on a column is used wherever its type allows. */
  compareWithValues(options: ValuesToCompare): Comparison | undefined;
  /** Whether a column has exactly the value that was printed so. */
  hasPrinted(column: LiveColumn, at: string, printed: string): string;
  /** A text without regard to case, to be compared with {@link sameText}. */
  foldCase(text: string): string;
  /** Where in a text a character first stands, from 1; 0: nowhere. */
  placeOf(text: string, character: '+' | '@'): string;
  /** 64 hexadecimal digits of a text's hash with the erasure's salt. */
  saltedHash(text: string): string;
  /** Whether a text fits a pattern of `^`, `$`, classes, repetitions and escaped full stops. */
  matches(text: string, pattern: string): string;
  /** The instant of Habeas' clock. */
  readonly now: string;
  /** A time of a row and a calendar span after it. */
  later(column: string, after: { readonly count: number; readonly unit: KeepUnit }): string;
  /** A time of {@link later} as RFC 3339 in UTC. */
  printTime(time: string): string;
  /** {@link now} as a value of a column of times. */
  nowIn(column: LiveColumn): string;
  /**
   * Sets what {@link now} and {@link saltedHash} read; `$1` is the value. Undefined: the store keeps no such settings, and the transaction puts
   * the values into its statements ({@link SqlTransaction.put}).
   */
  set(name: 'now' | 'salt'): string | undefined;

  /** Joins batches of keys: `arrays` has for each text of a batch those that {@link keyBatches} gave. */
  keySource(columns: readonly StoredColumn[], arrays: readonly (readonly string[])[]): KeySource;
  /** How the texts of a batch hold its keys: one for each column, or one with whole keys. */
  readonly keysAre: 'columns' | 'tuples';
  /** The keys of rows in batches of about `most`. */
  keyBatches(
    transaction: SqlTransaction,
    parts: readonly KeyQuery[],
    most: number,
  ): AsyncGenerator<StoredBatch>;

  /** Inserts found keys, or adds to what is known of them. `f` is the table. Gives how many are new, or known better. */
  addFound(
    transaction: SqlTransaction,
    collection: FoundTable,
    select: string,
    values?: readonly unknown[],
  ): Promise<number>;
  /** Changes what is known of found keys, `f`, by rows of the table itself, `t`. `set` is one assignment to a column of `f`. */
  updateFound(
    collection: FoundTable,
    set: { readonly column: string; readonly value: (of: string) => string },
    where: string,
  ): string;
  update(
    change: JoinedChange & {
      /** Names of columns, quoted, and what they become. Of columns of `alias` only the own one is sure to be as it was. */
      readonly set: readonly (readonly [column: string, value: string])[];
      /** The columns that values need as they were, as those of {@link formerRow}. */
      readonly former?: readonly string[];
    },
  ): string;
  /** What {@link update} calls the row `t` as it was before the first column was assigned. */
  readonly formerRow: 't' | 'former';
  delete(
    change: JoinedChange & {
      /** The key of `alias` and the columns of `from` that it equals, where that is what tells the rows. */
      readonly key?: {
        readonly own: readonly string[];
        readonly of: readonly string[];
        readonly condition: string;
      };
      /** Rows that must not be there, as `table alias` and the condition. */
      readonly absent?: readonly { readonly row: string; readonly column: string; readonly on: string }[];
    },
  ): string;
  /** Locks what a query reads, in its order; undefined where the transaction has locked the store already. */
  lock(query: { readonly rows: string; readonly alias: string; readonly order: string }): string | undefined;
  /**
   * When the store looks at foreign keys: when a statement that may delete from several tables has ended, at each row, or never, so that they are
   * only declared.
   */
  readonly checksForeignKeys: 'at the end' | 'at each row' | 'never';
  /** Whether no two rows can have the same key; otherwise keys are only declared. */
  readonly enforcesKeys: boolean;
  /** Whether a part of a transaction can be taken back. */
  readonly hasSavepoints: boolean;
  /** Statements that make the store look rows up in the order in which they come, or as it likes. */
  walk(how: 'in key order' | 'freely'): readonly string[];
  /** Checks at once what is otherwise checked at the end of the transaction. */
  readonly checkNow: readonly string[];

  /** A value as a column of the type prints it; undefined when it does not fit or would be cut off. */
  canonical(
    transaction: SqlTransaction,
    column: LiveColumn,
    text: string,
    keeps: 'whole' | 'rounded',
  ): Promise<string | undefined>;
}

export interface KeyQuery {
  /** The parts of a key, and what else is kept of a row. */
  readonly values: readonly string[];
  /** How many of the values are parts of the key, which are never null. */
  readonly keyParts: number;
  /** The parts as they stand in the row, where all seem to be whole numbers and nothing else is kept. */
  readonly whole?: readonly string[] | undefined;
  readonly rows: string;
  readonly order: string;
  readonly along: FoundAlong;
}

/** The table of found rows that a statement reads first, so that it can be read a range at a time. */
export interface FoundAlong {
  readonly table: string;
  /** The first column of its key. */
  readonly column: string;
  /** The same column as the statement names it. */
  readonly at: string;
}

export interface StoredBatch {
  /** Which of the queries. */
  readonly index: number;
  readonly count: number;
  readonly keys: readonly string[];
}
