import type { Keep, KeptField, PlannedCollection, Root, Share } from '../../catalog/index.ts';
import type { LiveColumn, LiveTable } from './live-table.ts';
import type { FoundTable, SqlDialect } from './sql-dialect.ts';

/** One part of what identifies a row. */
export interface KeyPart {
  readonly name: string;
  /** Undefined for the hash of a row, which is a text. */
  readonly column: LiveColumn | undefined;
  /** The value in a row that a statement calls `alias`. */
  readonly sql: (alias: string) => string;
}

/** How rows are told apart. `row`: the table has no key, so that a row is known by the hash of all its values. */
export type KeyKind = 'primary' | 'unique' | 'declared' | 'row';

/** A column that is masked: what it becomes, and how one sees that it is masked already. */
export interface CompiledMask {
  readonly column: LiveColumn;
  /** The new value; may use the salt, a random text that is the same for one erasure. */
  readonly value: string;
  readonly isMasked: (alias: string) => string;
  /** Text that has to be a value of the type; checked by the server in `check`. */
  readonly literal: string | undefined;
  /** Set where the value is kept until a date in the row: true once that is over. */
  readonly isOver: ((alias: string) => string) | undefined;
}

export type CompiledAction =
  | { readonly name: string; readonly kind: 'delete' }
  | {
      readonly name: string;
      readonly kind: 'keep';
      readonly keep: Keep;
      /** Set where the duty ends at a date of the row: true once that is over. */
      readonly isOver: ((alias: string) => string) | undefined;
    }
  | {
      readonly name: string;
      readonly kind: 'anonymize' | 'mask' | 'stay';
      readonly masks: readonly CompiledMask[];
      readonly kept: readonly KeptField[];
      /** Whether the row is only marked as deleted. */
      readonly hides: boolean;
    };

export interface CompiledCut {
  readonly name: string;
  /** The columns that tell whom the reference points at. */
  readonly columns: readonly LiveColumn[];
  /** Those of them that can be emptied. */
  readonly emptied: readonly LiveColumn[];
  readonly masks: readonly CompiledMask[];
  readonly onlyWhenShared: boolean;
}

export interface CompiledEdge {
  readonly from: string;
  readonly to: string;
  readonly fromColumns: readonly string[];
  readonly toColumns: readonly string[];
  readonly fields: readonly string[];
  readonly share: Share;
  /** Whether the rows that are found are the person's. */
  readonly follows: boolean;
  /** What is remembered of a row that was found through it. */
  readonly bits: number;
  /** `b.x = a.y and …`, where the two rows have these aliases. */
  readonly condition: (from: string, to: string) => string;
  /** Whether a row can be found by one row of the source at most. */
  readonly findsOnce: boolean;
}

export interface CompiledRoot extends Root {
  readonly live: LiveColumn;
}

/** A foreign key of the store between two collections of the datasets. */
export interface CompiledForeignKey {
  readonly child: string;
  readonly parent: string;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  /** Whether a row of the child that is found can be there after the erasure, and still point at its parent. */
  readonly mayKeepParent: boolean;
  readonly condition: (child: string, parent: string) => string;
}

export interface CompiledCollection {
  readonly name: string;
  readonly dialect: SqlDialect;
  readonly planned: PlannedCollection;
  readonly live: LiveTable;
  /** Quoted, with its schema. */
  readonly table: string;
  readonly key: readonly KeyPart[];
  readonly keyKind: KeyKind;
  /** Changes with everything that the temporary tables depend on; part of their names. */
  readonly signature: string;
  /** The temporary table with the rows that were found, as statements name it. */
  readonly found: string;
  /** Whether a row can be found in one way only, and so once only; its temporary table then needs no index. */
  readonly isFoundOnce: boolean;
  /** Set where rows lead nowhere and are found in one way only, so that they need not be remembered: that way. */
  readonly leaf: { readonly from: CompiledCollection; readonly edge: CompiledEdge } | undefined;
  /** The columns that are exported: those that the dataset names. */
  readonly columns: readonly string[];
  readonly actions: readonly CompiledAction[];
  readonly cuts: readonly CompiledCut[];
  readonly roots: readonly CompiledRoot[];
  readonly rootBits: number;
  readonly incoming: readonly CompiledEdge[];
  readonly outgoing: readonly CompiledEdge[];
  /** Foreign keys of any table that point at this one: whether a row with the alias is pointed at. */
  readonly pointedAt: readonly ((row: string) => string)[];
  /** What a reader of the evidence has to know, such as that the table has no key. */
  readonly remarks: { readonly unnamedColumns: string | undefined; readonly keyless: string | undefined };
}

/** The datasets, matched with the live schema. */
export interface Compiled {
  readonly dialect: SqlDialect;
  readonly collections: ReadonlyMap<string, CompiledCollection>;
  /** Groups of collections, children before parents. Those of one group refer to each other. */
  readonly order: readonly (readonly string[])[];
  readonly foreignKeys: readonly CompiledForeignKey[];
  /** Why nothing can be read; one line per missing table, column or right. */
  readonly readProblems: readonly string[];
  /** Why nothing can be erased, beyond that. */
  readonly eraseProblems: readonly string[];
}

/** `a.key = b.key`, where both aliases have the same key; `stored` has it in the columns `k1, k2, …`. */
export function matchesKey(collection: Pick<FoundTable, 'key'>, row: string, stored: string): string {
  return collection.key.map((part, index) => `${part.sql(row)} = ${stored}.k${index + 1}`).join(' and ');
}

/** `k1, k2` of a table with stored keys. */
export function keyColumns(collection: Pick<FoundTable, 'key'>, stored?: string): string {
  return collection.key
    .map((_, index) => `${stored === undefined ? '' : `${stored}.`}k${index + 1}`)
    .join(', ');
}

/** Definitions of the columns `k1, k2, …` of a temporary table. */
export function keyDefinitions({ key, dialect }: CompiledCollection): readonly string[] {
  return key.map(({ column }, index) => {
    const type = column === undefined ? dialect.textType : dialect.keyType(column);
    return `k${index + 1} ${type} not null`;
  });
}

/** `k1`, `k2`: the columns of a temporary table with keys. */
export function keyNames(collection: Pick<FoundTable, 'key'>): readonly string[] {
  return collection.key.map((_, index) => `k${index + 1}`);
}
