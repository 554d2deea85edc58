import type { CollectionShape, ReferenceShape } from '../../catalog/index.ts';

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
  /** Of an array. */
  readonly element?: LiveElement | undefined;
}

/** What an array's elements are, whatever its dimensions. */
export interface LiveElement {
  readonly column: LiveColumn;
  /** The elements of an array as what stands in `from …`, to be given a name. */
  readonly rows: (array: string) => string;
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
