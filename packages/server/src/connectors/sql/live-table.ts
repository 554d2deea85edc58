import type { CollectionShape, ReferenceShape } from '../../catalog/index.ts';
import type { Comparison, SoughtValues } from './comparison.ts';

export interface LiveColumn {
  readonly name: string;
  /** As `format_type` prints it: `character varying(40)`. */
  readonly type: string;
  /** Without length or precision, and without a domain around it: `character varying`. */
  readonly baseType: string;
  /** PostgreSQL's own word for the kind: S string, N numeric, D date or time, A array, E enum, B boolean, U other. */
  readonly category: string;
  readonly notNull: boolean;
  /** Most characters; null when there is no limit. */
  readonly length: number | null;
  /** Of texts, where the store tells: how they are kept and compared. */
  readonly letters?: { readonly charset: string; readonly collation: string } | undefined;
  /** `always`: an identity that nobody may write. `stored`: computed from other columns. */
  readonly generated: 'no' | 'by default' | 'always' | 'stored';
  /** Whether it is there for JSON, in a store that keeps it as a text. */
  readonly isJson?: boolean | undefined;
  /** Of an array; of a path inside JSON. */
  readonly element?: LiveElement | undefined;
}

/** What the elements of an array are, whatever its dimensions; what the values at a path inside JSON are. */
export interface LiveElement {
  readonly column: LiveColumn;
  /** The elements in a value `at`, as what stands in `from …` under this alias. */
  readonly rows: (at: string, alias: string) => string;
  /** One of them, in {@link rows} under this alias. */
  readonly value: (alias: string) => string;
  /** A shorter way than the usual one to tell whether one of the elements of a value `at` is sought; undefined: there is none. */
  readonly hasten?: ((sought: SoughtValues, usual: Comparison) => Comparison | undefined) | undefined;
  /** Whether a value `at` is none that can be looked into; undefined where the store lets no such be. */
  readonly isUnreadable?: ((at: string) => string) | undefined;
}

/** A table as PostgreSQL has it, with what this role may do. */
export interface LiveTable {
  readonly shape: CollectionShape;
  readonly schema: string;
  readonly table: string;
  readonly columns: ReadonlyMap<string, LiveColumn>;
  readonly references: readonly LiveReference[];
  readonly privileges: { readonly select: boolean; readonly update: boolean; readonly delete: boolean };
  /** Whether policies hide rows from this role. */
  readonly rowsHidden: boolean;
  /** Why nothing can be done with the table at all. */
  readonly unfit?: string | undefined;
}

export interface LiveReference extends ReferenceShape {
  readonly deferrable: boolean;
}

/** A column as discovery tells it. */
export function fieldShape({
  name,
  type,
  notNull,
  generated,
}: LiveColumn): CollectionShape['fields'][number] {
  return { name, type, nullable: !notNull, generated: generated !== 'no' };
}
