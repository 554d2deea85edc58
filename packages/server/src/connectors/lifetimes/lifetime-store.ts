import type { LifetimeCollection } from './compile-lifetimes.ts';

/** How long the store itself keeps what is in one place of it. */
export interface StoreLifetime {
  /** Milliseconds; undefined: it ends nothing by itself. */
  readonly maxAge: number | undefined;
  /** Where what ended goes, in words; undefined: nowhere. */
  readonly goesOn: string | undefined;
}

/**
 * A store in which nobody can be looked for, and whose things end by themselves. Throws SYSTEM_UNREACHABLE (retryable), SYSTEM_REFUSED where it
 * does not let us, and SCHEMA_MISMATCH where it has no such place. Errors and answers have no word of what is in it.
 */
export interface LifetimeStore {
  /** What its things are, for people: `messages`. */
  readonly things: string;
  /** What it says of a place; undefined: it has no such setting, and the declaration is all there is. */
  lifetimeOf(collection: LifetimeCollection, signal: AbortSignal): Promise<StoreLifetime | undefined>;
  /** Things that it holds longer than is declared, one sentence for each collection. */
  overdue(collections: readonly LifetimeCollection[], signal: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}
