/** What a collection of rows knows people by. */
export interface KnownCollection {
  readonly collection: string;
  readonly types: readonly string[];
}

/** Values that stand together in a row, such as a tenant and a file of theirs. */
export interface KnownValues {
  readonly collection: string;
  /** The fields that have them, in the order of the types that were asked for. */
  readonly fields: readonly string[];
  readonly values: readonly string[];
  /** Whether all of these fields tell identities of the person whose row it is; otherwise the row merely has them. */
  readonly tells: boolean;
}

/** Everybody whom a store of rows knows. */
export interface KnownPeople {
  /** By the datasets alone; the store is not asked. */
  readonly collections: readonly KnownCollection[];
  /**
   * The different values of these identity types that stand together in rows of collections that have all of them, as the store prints
   * them, without those that a mask has put in. Streams.
   */
  read(types: readonly string[], signal: AbortSignal): AsyncIterable<KnownValues>;
}
