import type { UnpackLimits } from '../logs/unpacked.ts';
import type { RowSearch } from './row-search.ts';

/** A file that lies somewhere else, of which any part can be read. */
export interface RandomAccess {
  /** In bytes. */
  readonly size: number;
  /** Exactly these bytes, in memory that is the caller's: it may be kept, changed, or given to another thread. Throws where the file was replaced or cannot be read. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Takes the bytes of a new file, in order. They may be used again when the promise is fulfilled. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

/** How rows lie in a file. A pure module: it knows neither where files are nor who is looked for. */
export interface RowFormat {
  readonly name: string;
  /** Throws SYSTEM_FAILED for a file that is damaged, cut off, or not of this format, and SCHEMA_MISMATCH where it has none of the columns. */
  open(source: RandomAccess, options: OpenRows): Promise<RowFile>;
}

export interface OpenRows {
  readonly search: RowSearch;
  readonly signal: AbortSignal;
  /** Of text that is packed. (Default: those of logs) */
  readonly limits?: UnpackLimits;
}

/** The rows of one file, for one search. Memory is bounded by a part or a row group, never by the file. */
export interface RowFile {
  /**
   * The rows that are somebody's, in the order of the file. A column that the file does not have has no value in any row. With
   * `content`, rows come with all of what is in them.
   */
  find(options: { readonly content: boolean }): AsyncIterable<FoundRow>;
  /**
   * Writes the file anew with somebody's rows changed, for all people in one pass: the same schema, order, compression and metadata. What
   * is not theirs is taken over byte by byte where the format can, and nothing that is derived from a row that goes (statistics,
   * dictionaries, indexes, filters) stays.
   */
  rewrite(change: RowChange, sink: ByteSink): Promise<Rewritten>;
}

export interface FoundRow {
  /** Whose it is, as {@link RowSearch.whose} says. */
  readonly whose: ReadonlySet<number>;
  /** Undefined where it was not asked for, or is too large for the memory. */
  readonly content: Readonly<Record<string, unknown>> | undefined;
}

/** What becomes of rows that are somebody's. */
export type RowChange =
  | { readonly kind: 'drop' }
  /** Throws SCHEMA_MISMATCH, before the first byte, where a mask does not fit its column. */
  | { readonly kind: 'mask'; readonly columns: readonly ColumnMask[] };

export interface ColumnMask {
  /** As in {@link RowColumn}. Every value of a column that repeats is masked. */
  readonly path: readonly string[];
  /** What takes the place of a value that is not null. */
  mask(value: unknown): string | null;
}

export interface Rewritten {
  /** Rows that were changed. */
  readonly rows: number;
  /** The same by person; a row of two people counts for both. */
  readonly of: ReadonlyMap<number, number>;
}
