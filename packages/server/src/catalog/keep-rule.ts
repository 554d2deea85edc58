/** A duty to keep data of one category, from the policy. */
export interface KeepRule {
  /** Covers this category and everything below it: `user.financial` covers `user.financial.bank_account`. */
  readonly category: string;
  /** Why, in words that a person may read. */
  readonly reason: string;
  /** The law or contract that says so. */
  readonly legalBasis: string | null;
  /** RFC 3339 date on which the duty ends; null when it has no known end. */
  readonly until: string | null;
}
