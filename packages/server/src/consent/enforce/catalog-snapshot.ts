import type { QualifiedName } from './relation-catalog.ts';

/** What a PostgreSQL database says of itself, as far as statements can name it. Plain data: it can be kept in a file. */
export interface CatalogSnapshot {
  /** Schemas in which names without one are found, in this order; `pg_catalog` comes before them. */
  readonly searchPath: readonly string[];
  readonly relations: readonly SnapshotRelation[];
  /** Functions of `pg_catalog` that change nothing and give the same answer within a statement. */
  readonly builtIn: readonly string[];
  /** Functions, operators and types that somebody made, with the languages of what runs when they are used. */
  readonly own: {
    readonly functions: readonly QualifiedName[];
    readonly operators: readonly MadeName[];
    readonly types: readonly MadeName[];
  };
}

export interface SnapshotRelation {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'view' | 'other';
  /** The partitioned tables, or those that it inherits from, that its rows belong to, too. */
  readonly partOf: readonly { readonly schema: string; readonly name: string }[];
  /** Of a view: its query, with schemas. */
  readonly definition?: string;
}

export interface MadeName {
  readonly schema: string;
  readonly name: string;
  /** Whether using it runs code in a language that can read tables. */
  readonly runsCode: boolean;
}
