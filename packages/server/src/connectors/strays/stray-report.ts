import type { ErrorCode } from '../../foundation/index.ts';
import type { Swept } from '../connector.ts';

/** What comparing a store of named things with the rows of other connections brought to light. */
export interface StrayReport {
  /** The connection whose things have names. */
  readonly connection: string;
  readonly kind: string;
  readonly collections: readonly NamedCount[];
  readonly rows: readonly RowCount[];
  /** Why something could not be compared; empty: everything was. */
  readonly problems: readonly StrayProblem[];
  /** What a reader of the counts has to know. */
  readonly remarks: readonly string[];
}

/** A collection of named things. */
export interface NamedCount {
  readonly collection: string;
  /** How many names fit its patterns. */
  readonly things: number;
  /** Things that no row names; undefined: not known. */
  readonly strays: number | undefined;
  /** Things that no row names either, and that are too young to say so; undefined: not known. */
  readonly young: number | undefined;
}

/** Fields of rows that name things. */
export interface RowCount {
  readonly connection: string;
  readonly collection: string;
  readonly fields: readonly string[];
  /** How many different values they have. */
  readonly values: number;
  /** Values that name nothing; undefined: not known. */
  readonly dangling: number | undefined;
}

export interface StrayProblem {
  /** What was not looked at, why, and what to do. No personal data, no names of things. */
  readonly message: string;
  readonly code?: ErrorCode;
}

/** A thing that no row names. */
export interface Stray {
  readonly collection: string;
  /** Byte text. */
  readonly name: string;
}

/** A row that names nothing. */
export interface Dangling {
  readonly connection: string;
  readonly collection: string;
  /** Its values by field. */
  readonly values: Readonly<Record<string, string>>;
}

/** What became of our own unfinished files beside the things of a store. */
export interface SweptStore extends Swept {
  readonly connection: string;
}
