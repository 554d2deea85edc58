import type { PlaceOf } from '../foundation/index.ts';
import type { Finding } from './finding.ts';

/** Until when something is kept: a date for all, or a time after the date in a column of each row. */
export type KeepUntil =
  | { readonly date: string }
  | { readonly column: string; readonly after: { readonly count: number; readonly unit: KeepUnit } };

export type KeepUnit = 'day' | 'week' | 'month' | 'year';

export interface Keep {
  readonly reason: string;
  readonly legalBasis: string | null;
  readonly until: KeepUntil | null;
  /** Whether the reference is emptied although the row stays, so that the row it points to can go. */
  readonly detach: boolean;
  /** The reason as an IRI of the Data Privacy Vocabulary, where the policy gives one. */
  readonly justification?: string;
}

/**
 * What replaces a value that is masked.
 * - `null`: nothing.
 * - `fixed`: a value of one's choice.
 * - `hash`: `erased-` and 20 hexadecimal digits; equal values of one erasure stay equal, and nobody can compute them again.
 * - `random-email`: such a value as an address under `erased.invalid` (RFC 2606), which passes validity checks.
 */
export type Mask =
  | { readonly strategy: 'null' }
  | { readonly strategy: 'fixed'; readonly value: string }
  | { readonly strategy: 'hash' }
  | { readonly strategy: 'random-email' };

/** What erasure does to a row of the person. */
export type OnErase =
  | { readonly kind: 'delete' }
  /** Only the reference goes: the row is not the person's, it merely points at them. It is neither exported nor followed. */
  | { readonly kind: 'detach' }
  /** The row stays: its personal fields are masked and the reference is emptied. */
  | { readonly kind: 'anonymize'; readonly mask: Mask | undefined }
  /** The row and the reference stay: its personal fields are masked. */
  | { readonly kind: 'mask'; readonly mask: Mask | undefined }
  | { readonly kind: 'keep'; readonly keep: Keep };

/** `owned`: rows belong to whom they are reached from. `shared`: more than one person may reach the same row. */
export type Share = 'owned' | 'shared';

export type Direction = 'from' | 'to' | 'both';

/**
 * Where a value is from (GDPR article 20; WP242): `provided` by the person, `observed` of them while they used a service, or
 * `derived` from other data. The right to portability covers the first two.
 */
export type FieldSource = 'provided' | 'observed' | 'derived';

/** A mark that a store keeps on rows of a person who restricted or objected to some processing. */
export type Flag = 'restriction' | 'objection' | 'opt_out_of_sale' | 'limit_sensitive_data';

/** The column that is a flag: true or a time while it is set. */
export interface FlagColumn {
  readonly flag: Flag;
  /** Of an objection: against what. */
  readonly purpose: string | null;
  readonly column: string;
  /** What a boolean is when the flag is not set; undefined: false in a column that must have a value, else null. */
  readonly lifted: false | null | undefined;
  readonly path: readonly PropertyKey[];
}

export interface Field {
  /** With dots for a field inside an object: `address.city`. */
  readonly name: string;
  readonly dataType: string | undefined;
  readonly length: number | undefined;
  /** The field's own categories, else those of its collection, else those of its dataset. */
  readonly categories: readonly string[];
  readonly identity: Identification | undefined;
  readonly primaryKey: boolean;
  readonly readOnly: boolean;
  readonly mask: Mask | undefined;
  readonly keep: Keep | undefined;
  /** Why a rectification leaves it as it is, such as a copy on an invoice that was sent; undefined: it is changed. */
  readonly unchanged: Keep | undefined;
  readonly source: FieldSource;
  /** How a line of a log names the value: `{}` stands for it; `anywhere`: by the value alone. (Default: the format's own way) */
  readonly inLine?: readonly string[];
  /** Where in the file: input of {@link Dataset.placeOf}. */
  readonly path: readonly PropertyKey[];
}

/** Keys of Redis that name people. */
export interface RedisKeys {
  /** Patterns of keys, such as `session:{user_id}:*`. */
  readonly key: readonly string[];
  /** What of a key is the person's. (Default: all of it) */
  readonly part?:
    | { readonly kind: 'field' | 'member'; readonly pattern: string }
    | { readonly kind: 'entry'; readonly field: string; readonly pattern: string };
}

/** Files whose paths name people. */
export interface FilePaths {
  /** Patterns relative to the root, such as `avatars/{user_id}.*`. */
  readonly path: readonly string[];
  /** Patterns of files that are made from such a file, such as `thumbs/{stem}_*`. */
  readonly derived: readonly string[];
}

/** Log files whose lines name people. */
export interface LogFiles {
  readonly path: readonly string[];
  /** Those of `path` that a process still writes to. */
  readonly live: readonly string[];
  readonly format: 'text' | 'json';
  /** What is done to a live file: lines are overwritten in place, or it is left, and gone after this time. */
  readonly liveFiles: 'overwrite' | { readonly leftFor: { readonly count: number; readonly unit: KeepUnit } };
}

/** Objects of a bucket that are people's, or have rows that are. */
export interface ObjectKeys {
  /** Patterns of keys, such as `avatars/{user_id}.*` or `events/**`. */
  readonly key: readonly string[];
  /** How rows lie in them; undefined: whole objects are somebody's. */
  readonly rows: ObjectRows | undefined;
  /** `delete`: older versions that hold the person go. `expire`: they are left to the bucket's own rules. */
  readonly oldVersions: 'delete' | 'expire';
  /** Uploads that nobody finished for so long are aborted. */
  readonly abortUploadsAfter: { readonly count: number; readonly unit: KeepUnit };
}

/** A table of DynamoDB. */
export interface ItemTable {
  /** (Default: the collection's name) */
  readonly table?: string | undefined;
  /** Whether the whole table may be read where no key and no index leads to a person's items. */
  readonly scan: boolean;
  /** Groups of fields that name a person only together. */
  readonly together: readonly (readonly string[])[];
}

/** How long data lives in a store in which nobody can be looked for. */
export interface Lifetime {
  /** Of the longest, in milliseconds; undefined: as the store says. */
  readonly maxAge: number | undefined;
  readonly keys: string | undefined;
  readonly queue: string | undefined;
  readonly stream: string | undefined;
}

/** A full-text index of Sphinx. */
export interface DocumentIndex {
  /** (Default: the collection's name) */
  readonly index?: string | undefined;
  /** The attribute of a plain index that marks documents for the command that takes them out. */
  readonly mark?: string | undefined;
  /** Groups of fields that name a person only together. */
  readonly together: readonly (readonly string[])[];
}

export interface ObjectRows {
  readonly format: 'json-lines' | 'csv' | 'parquet';
  /** Of CSV. */
  readonly delimiter: string;
  /** Of CSV without a header. */
  readonly columns: readonly string[] | undefined;
  /** Groups of fields that name a person only together. */
  readonly together: readonly (readonly string[])[];
}

/** Values that are written in several ways and name the same: `telephone` by their digits, `mailbox` without what is behind a `+`. */
export type Spelling = 'telephone' | 'mailbox';

/** A field by which people are found. */
export interface Identification {
  readonly type: string;
  /** How a given value is compared. */
  readonly match: 'exact' | 'case-insensitive';
  /** Goes before `match` in stores that can compare so. (Default: each is written in one way) */
  readonly spelling?: Spelling;
  /** Whether values of rows that were found are further identities of the person. */
  readonly resolves: boolean;
}

/** Rows of two collections belong together when all columns are equal to their target columns, pair by pair. */
export interface Reference {
  readonly name: string;
  readonly columns: readonly string[];
  readonly dataset: string;
  readonly target: string;
  readonly targetColumns: readonly string[];
  /** `from`: rows here are found by rows of the target. `to`: rows of the target are found by rows here. */
  readonly direction: Direction;
  /** What erasure does to the rows that are found through it; undefined: what their collection says. */
  readonly onErase: OnErase | undefined;
  readonly share: Share;
  /** Fields of the found row that are about the person it is found from, for rows that several people share. */
  readonly fields: readonly string[];
  readonly path: readonly PropertyKey[];
}

export interface Collection {
  readonly name: string;
  /** What the store calls it: the name, or `schema.name` where the dataset's namespace names a schema. */
  readonly table: string;
  readonly fields: readonly Field[];
  readonly references: readonly Reference[];
  /** For rows that are found by an identity, and by references that do not say. */
  readonly onErase: OnErase;
  /** A unique key that the store does not declare; empty: the store's own key. */
  readonly key: readonly string[];
  /** Collections, as `dataset.collection`, whose erasure comes before this one's. */
  readonly eraseAfter: readonly string[];
  /** What the rows were made from, as `dataset` or `dataset.collection`: that is erased first, or they could be made again. */
  readonly derivedFrom: readonly string[];
  /** Of a Redis server. */
  readonly redis?: RedisKeys;
  /** Of a tree of files. */
  readonly files?: FilePaths;
  /** Of log files. */
  readonly logs?: LogFiles;
  /** Of a bucket. */
  readonly objects?: ObjectKeys;
  /** Of DynamoDB. */
  readonly dynamodb?: ItemTable;
  /** Of stores whose data ends by itself. */
  readonly lifetime?: Lifetime;
  /** Of Sphinx. */
  readonly sphinx?: DocumentIndex;
  /** Columns that say what the rows may not be used for. */
  readonly flags: readonly FlagColumn[];
  /** The column that marks a row as deleted although it is there: a boolean or a time. undefined: rows cannot be soft-deleted. */
  readonly softDelete: Field | undefined;
  /** Left out on purpose; always shown as a gap. */
  readonly skip: boolean;
  readonly path: readonly PropertyKey[];
}

/** The annotated shape of a data store, as its file says. */
export interface Dataset {
  readonly key: string;
  readonly name: string | undefined;
  readonly file: string;
  readonly collections: readonly Collection[];
  /** What the file says that has no meaning here, and other things that are no reason to refuse it. */
  readonly findings: readonly Finding[];
  readonly placeOf: PlaceOf;
}
