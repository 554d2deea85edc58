/** An identity that a name has a part for. */
export interface NamedIdentity {
  readonly type: string;
  readonly match: 'exact' | 'case-insensitive';
}

/** How things of a collection are named. */
export interface NamePattern {
  readonly collection: string;
  /** As the dataset has it. */
  readonly text: string;
  /** `identities`: whom a name is about. `original`: from which thing another one was made, by a text of the connector's own. */
  readonly tells: readonly NamedIdentity[] | 'original';
}

/** A thing with a name that fits a pattern: a file, an object. A name may come several times: for each of the patterns, and of its versions. */
export interface NamedThing {
  /** Byte text: where it is in the store. */
  readonly name: string;
  /** Index of the pattern. */
  readonly pattern: number;
  readonly changedAt: Date;
  /** Nobody who asks for the name gets it: only what was replaced or deleted is left. (Default: false) */
  readonly isHidden?: boolean;
  /** Each way in which the name can be read: values for the pattern's identities, or one text for the original. */
  readonly readings: readonly (readonly string[])[];
  /** The texts by which names of what was made from it tell it, with the index of their pattern. */
  readonly originalBy: readonly { readonly pattern: number; readonly text: string }[];
}

/** A part of the store that could not be looked into; byte text. */
export interface ClosedPlace {
  readonly closed: string;
}

/** A store of things whose names say whose they are. */
export interface NamedThings {
  /** By the datasets alone. Throws SCHEMA_MISMATCH where they have to be corrected. */
  patterns(): readonly NamePattern[];
  /** Everything whose name fits one of {@link patterns}. Streams. */
  read(signal: AbortSignal): AsyncIterable<NamedThing | ClosedPlace>;
}
