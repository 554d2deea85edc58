/** Data of these categories is kept when a person is erased. */
export interface KeepRule {
  /** A data category or a dot-bounded prefix of one: `user.financial` also covers `user.financial.bank_account`. */
  readonly category: string;
  readonly reason: string;
  readonly legalBasis: string | null;
  /** RFC 3339 date; null when the rule knows no common end. */
  readonly until: string | null;
}

export type Treatment = 'delete' | 'mask' | 'detach' | 'anonymize' | 'keep';

/** What is done to one collection that is reached from the identities. */
export interface CollectionCoverage {
  readonly collection: string;
  readonly treatment: Treatment;
  /** Fields that hold personal data. */
  readonly fields: readonly string[];
  readonly categories: readonly string[];
  readonly reason: string | null;
  readonly legalBasis: string | null;
  readonly until: string | null;
  /** How it is reached, in words. */
  readonly reachedBy: string;
}

/** Which collections of a connection's datasets a person's identities reach, and which they do not. */
export interface Coverage {
  /** Parents before children. */
  readonly collections: readonly CollectionCoverage[];
  readonly unreachable: readonly { readonly collection: string; readonly reason: string }[];
}
