import type { NumberedPurpose } from './choose-predicate.ts';
import type { InstallPlan } from './plan-steps.ts';
import type { TargetSignature } from './read-signatures.ts';
import type { Target } from './target.ts';

/** The state of Habeas that a target has. */
export interface Watermark {
  /** PostgreSQL's own name for what was committed: `xmin:xmax:xids`. */
  readonly snapshot: string;
  readonly asOf: Date;
}

/** A target of whatever engine, whose state changes from one moment of Habeas to another. */
export interface ChangeableTarget {
  /** Runs in one transaction, alone. */
  change<Result>(work: (store: TargetStore) => Promise<Result>): Promise<Result>;
}

/** Connections to the database of a target. What a server reports is told without its words, which may quote values of rows. */
export interface OpenTarget extends ChangeableTarget {
  /** Compares; changes nothing. Throws SCHEMA_MISMATCH for tables and columns that are not there. */
  plan(target: Target): Promise<InstallPlan>;
  /** Does what a plan would say; gives what it did. With the `fingerprint` of a plan, does that plan or nothing: throws CONFLICT. */
  apply(target: Target, options?: { readonly fingerprint?: string }): Promise<InstallPlan>;
  close(): Promise<void>;
}

/** What people said, as a target keeps it, within a transaction. */
export interface TargetStore {
  /** The purposes of the configuration with their numbers in the target. Throws CONFLICT where the target knows them otherwise. */
  installedPurposes(target: Pick<Target, 'key' | 'purposes'>): Promise<readonly NumberedPurpose[]>;
  /** undefined: the target has no state yet. Throws CONFLICT if nothing is installed, or for somebody else. */
  watermark(target: Pick<Target, 'key' | 'organizationId'>): Promise<Watermark | undefined>;
  /** Whether it has what people said for all of these. */
  isFilled(types: readonly string[], purposes: readonly NumberedPurpose[]): Promise<boolean>;
  /** Begins to take signatures; what was given before is forgotten. */
  begin(): Promise<void>;
  give(rows: readonly TargetSignature[]): Promise<void>;
  /** Changes what differs from what was given. `complete`: who was not given has said nothing. */
  merge(options: StoreOptions, how: { readonly complete: boolean }): Promise<Merged>;
  mark(watermark: Watermark): Promise<void>;
}

export interface StoreOptions {
  readonly type: string;
  readonly purposes: readonly NumberedPurpose[];
  /** Whether identities are whole numbers, which are the keys. */
  readonly isNumber: boolean;
}

export interface Merged {
  /** Signatures that were changed. */
  readonly changed: number;
  /** Of what is derived from signatures, how much was other than it had to be. */
  readonly wrong: number;
}
