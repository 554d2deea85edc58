import type { ChangedChunk } from './changed-chunk.ts';
import type { Leaf } from './schema.ts';

/** What a thread is asked for. */
export type ThreadTask =
  | { readonly kind: 'pack' | 'unpack'; readonly bytes: Uint8Array }
  /** Takes rows out of a column: what {@link rewriteChunk} does, where all of the column is at hand. */
  | {
      readonly kind: 'cut';
      /** The column as it lies in the file. */
      readonly bytes: Uint8Array;
      /** `ColumnChunk`, as the footer has it. */
      readonly struct: Uint8Array;
      readonly leaf: Leaf;
      /** Numbers of the rows, in order. */
      readonly rows: Uint32Array;
    };

/** What the thread made: one part, or those of the new column. */
export interface ThreadResult {
  readonly parts: readonly Uint8Array[];
  readonly changed?: Omit<ChangedChunk, 'statistics'> & { readonly statistics: Uint8Array | undefined };
}

/** Without a result, why there is none. Errors lose what they are between threads. */
export interface ThreadAnswer {
  readonly id: number;
  readonly result?: ThreadResult;
  readonly error?: {
    readonly message: string;
    /** Whether it says what is wrong with the file. */
    readonly isRefusal: boolean;
  };
}
