import { HabeasError } from '../../foundation/index.ts';

/** A value as the store prints it. */
export type Text = string | null;
export type TextRow = readonly Text[];

/** Rows of texts in the form of `TextRows`. */
export interface TextBatch {
  readonly bytes: Buffer;
  readonly count: number;
}

export interface StreamOptions {
  /** Most rows of a batch; wide rows may follow narrow ones, so that few are safe. (Default: 1,000) */
  readonly mostRows?: number;
}

/** A table, and the columns of its key. */
export interface KeyedTable {
  readonly table: string;
  /** Of the table as `t`. */
  readonly key: readonly string[];
}

/**
 * One transaction on a connection of its own. Rolled back unless it is committed; an abort ends the running statement, or the work behind
 * it. Parameters are written `$1`, `$2`, … in every dialect. Failures are HabeasErrors that quote no value.
 */
export interface SqlTransaction extends AsyncDisposable {
  /**
   * Whether what is handed over while something else is under way runs right behind it, in the order in which it came. Only of a store that one
   * transaction alone changes at a time. (Default: each is waited for)
   */
  readonly queues?: true;
  /** All rows of a small result. */
  rows(text: string, values?: readonly unknown[]): Promise<readonly TextRow[]>;
  /** How many rows a statement changed. */
  change(text: string, values?: readonly unknown[]): Promise<number>;
  /** Deletes the rows with the keys that `parts` of a {@link KeySource} names. Only where the store lies in this process. */
  deleteKeys?(from: KeyedTable, parts: readonly string[]): Promise<number>;
  /** Only where the store keeps no settings of a session: what stands for a setting in the statements that follow. */
  put?(name: 'now' | 'salt', value: string): void;
  /** Several statements without values. */
  script(statements: readonly string[]): Promise<void>;
  /** Rows in batches, so that memory does not follow the result. */
  stream(text: string, options?: StreamOptions): AsyncGenerator<readonly TextRow[]>;
  /**
   * The same rows as bytes, for a query of which every column is a text. Only where the store gives them so. The bytes may be used
   * until the next batch is asked for.
   */
  texts?(text: string): AsyncGenerator<TextBatch>;
  commit(): Promise<void>;
}

/** Throws INTERNAL for work that comes behind the end of its transaction: it would be a transaction of its own, or part of another one. */
export function refuseWhenOver(isOver: boolean, system: string): void {
  if (isOver)
    throw new HabeasError(
      'INTERNAL',
      `Work on ${system} came after its transaction had ended; it was not done.`,
    );
}
