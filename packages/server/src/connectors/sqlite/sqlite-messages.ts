import type { KeyedTable, TextRow } from '../sql/index.ts';
import type { EachStatement } from './delete-keys.ts';

/** What a thread with a database is asked. */
export type SqliteQuestion = { readonly id: number } & (
  | {
      readonly kind: 'rows' | 'change';
      readonly text: string;
      readonly values: readonly (string | number | null)[];
    }
  | { readonly kind: 'delete'; readonly from: KeyedTable; readonly parts: readonly string[] }
  | { readonly kind: 'each'; readonly statements: readonly EachStatement[] }
  /** What a setting is in the statements that follow. */
  | { readonly kind: 'put'; readonly name: 'now' | 'salt'; readonly value: string }
  | { readonly kind: 'script'; readonly statements: readonly string[] }
  /** Opens a stream, which then has the id of this question. */
  | { readonly kind: 'open'; readonly text: string }
  | {
      readonly kind: 'next';
      readonly stream: number;
      /** Most rows. */
      readonly most: number;
      /** About how much text at most, in characters. */
      readonly bytes: number;
    }
  | { readonly kind: 'close'; readonly stream: number }
);

export interface SqliteAnswer {
  readonly id: number;
  readonly rows?: readonly TextRow[];
  readonly changes?: number;
  readonly failure?: SqliteFailure;
}

export interface SqliteFailure {
  /** SQLite's extended result code; 0 where the failure was not SQLite's. */
  readonly code: number;
  /** The constraint, or the columns, that a value broke. */
  readonly constraint: string | undefined;
  readonly isForeignKey: boolean;
  /** A table or column is not there. */
  readonly isSchema: boolean;
}
