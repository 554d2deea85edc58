import type { Compiled, CompiledCollection } from './compiled.ts';
import type { Effect } from './effect.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** Rows that were found in the same ways. */
export interface FoundGroup {
  readonly bits: number;
  /** Whether they are the person's; otherwise they point at them, or another person reaches them too. */
  readonly isOwn: boolean;
  /** Whether another person reaches them too. */
  readonly isShared: boolean;
  readonly effect: Effect;
}

/** A traversal under way, as the rules about shared and staying rows see it. */
export interface Search {
  readonly transaction: SqlTransaction;
  readonly compiled: Compiled;
  /** The collections in which something was found, children before parents. */
  readonly found: readonly CompiledCollection[];
  hasTouched(collection: string): boolean;
  groups(collection: CompiledCollection): Promise<readonly FoundGroup[]>;
  /** Known values of an identity type. */
  valuesOf(type: string): readonly string[];
  /** Makes the tables for what is found in these collections. */
  prepare(collections: Iterable<CompiledCollection>): Promise<void>;
  nextTick(): number;
  markFollowed(collection: string, tick: number): void;
}
