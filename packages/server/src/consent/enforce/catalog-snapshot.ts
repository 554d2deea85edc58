import type { QualifiedName } from './relation-catalog.ts';

/** What a PostgreSQL database says of itself, as far as statements can name it. Plain data: it can be kept in a file. */
export interface CatalogSnapshot {
  /** Schemas in which names without one are found, in this order; `pg_catalog` comes before them. */
  readonly searchPath: readonly string[];
  readonly relations: readonly SnapshotRelation[];
  /** Functions of `pg_catalog` that change nothing and give the same answer within a statement. */
  readonly builtIn: readonly string[];
  /** Functions of `pg_catalog` that can be called with one value, and so by `value.name` too. */
  readonly builtInOfOne: readonly string[];
  /** Functions that somebody made, and what runs their code when it is used. */
  readonly own: {
    readonly functions: readonly QualifiedName[];
    /** Those that can be called with one value. */
    readonly functionsOfOne: readonly QualifiedName[];
    readonly operators: readonly RunsCode[];
    /** Types that are cast to by such code, PostgreSQL's own and those that hold others included. */
    readonly types: readonly (RunsCode & {
      /** Whether its values are checked by conditions, of which nobody knows what they call. */
      readonly isChecked: boolean;
    })[];
    /** What PostgreSQL uses without a word of it in the statement: casts that are implied, and how values are compared and sorted. */
    readonly unseen: readonly Unseen[];
  };
}

export interface SnapshotRelation {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'view' | 'other';
  /** The partitioned tables, or those that it inherits from, that its rows belong to, too. */
  readonly partOf: readonly { readonly schema: string; readonly name: string }[];
  /** What runs code when rows are written to it, or to a part of it. (Default: nothing) */
  readonly whenWritten?: readonly Unseen[];
  /** Tables of which rows change or go with rows of it that do, by foreign keys. (Default: none) */
  readonly changesRowsOf?: readonly { readonly schema: string; readonly name: string }[];
  /** Whether it has rules (`create rule`), which make other statements of those that write to it. (Default: no) */
  readonly hasRules?: boolean;
  /** Of a view: its query, with schemas. */
  readonly definition?: string;
}

export interface RunsCode {
  readonly schema: string;
  readonly name: string;
  /** The functions that using it runs, in languages that can read tables. */
  readonly code: readonly QualifiedName[];
}

export interface Unseen {
  /** `the cast from public.mood to text`, `a default` */
  readonly what: string;
  readonly code: QualifiedName;
}
