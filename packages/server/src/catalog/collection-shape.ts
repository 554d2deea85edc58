/** A field as the live store has it. */
export interface FieldShape {
  readonly name: string;
  /** The store's own type, e.g. `character varying(40)`. */
  readonly type: string;
  readonly nullable: boolean;
  /** Written by the store itself: an identity or generated column. */
  readonly generated: boolean;
}

/** A declared reference: `columns` of this collection hold the `targetColumns` of a row of `target`. */
export interface ReferenceShape {
  readonly name: string;
  readonly columns: readonly string[];
  readonly target: string;
  readonly targetColumns: readonly string[];
  /** What the store does to this row when the target row is deleted. */
  readonly onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';
}

/** The live shape of a table, collection or index, without any data. */
export interface CollectionShape {
  /** Without schema for the default schema (`public`), otherwise `schema.table`. */
  readonly name: string;
  readonly fields: readonly FieldShape[];
  /** Empty when the store declares no key. */
  readonly primaryKey: readonly string[];
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly references: readonly ReferenceShape[];
  /** The store's estimate; null when it has none. */
  readonly rowEstimate: number | null;
}
