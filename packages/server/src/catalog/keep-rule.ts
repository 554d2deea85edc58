import type { Mask } from './dataset.ts';

/** What the policy says of data of one category when it is to be erased: it is kept, it is masked, or it is erased after all. */
export type KeepRule = Duty | MaskRule | SoftDeleteRule | AllowRule;

/** A duty to keep data of one category. */
export interface Duty extends OfCategory {
  readonly action?: 'keep';
  /** Why, in words that a person may read. */
  readonly reason: string;
  /** The law or contract that says so. */
  readonly legalBasis: string | null;
  /** RFC 3339 date on which the duty ends; null when it has no known end. */
  readonly until: string | null;
  /** Why, as an IRI of the Data Privacy Vocabulary. */
  readonly justification?: string;
}

/** The row stays, and the value is replaced. */
export interface MaskRule extends OfCategory {
  readonly action: 'mask';
  readonly mask: Mask;
}

/**
 * The row stays and is marked as deleted, in a collection that names a column for that; in others it is erased. `masked`: its values
 * are replaced; `left`: they stay as they are, for whoever looks past the mark.
 */
export interface SoftDeleteRule extends OfCategory {
  readonly action: 'soft-delete';
  readonly values: 'masked' | 'left';
}

/** An exception to a rule about a category above it. */
export interface AllowRule extends OfCategory {
  readonly action: 'allow';
}

interface OfCategory {
  /** Covers this category and everything below it: `user.financial` covers `user.financial.bank_account`. The deepest one counts. */
  readonly category: string;
}
