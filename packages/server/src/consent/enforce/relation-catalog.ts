/** What a statement may name. Whatever is not in it is refused: the world is closed. */
export interface RelationCatalog {
  /** What the name means to the database that the statement is for; undefined: nothing that is known. */
  relation(name: QualifiedName): Relation | undefined;
  /** Why a function may not be called; undefined: it may. */
  functionRefused(name: QualifiedName): string | undefined;
  /** Why a name may not stand behind a value, where PostgreSQL may call a function by it: `(value).name`; undefined: it may. */
  attributeRefused(name: string): string | undefined;
  /** Why no rows may be written to it, or why those that are there may not be changed; undefined: they may, as far as its code goes. */
  writingRefused(
    relation: { readonly schema: string; readonly name: string },
    changes: boolean,
  ): string | undefined;
  /** Why an operator may not be used; undefined: it may. */
  operatorRefused(name: QualifiedName): string | undefined;
  /** Why a type may not be cast to; undefined: it may. */
  typeRefused(name: QualifiedName): string | undefined;
  /** Why no statement may run at all: code that may run without being named; undefined: there is none. */
  readonly unseenCode: string | undefined;
}

export interface QualifiedName {
  /** undefined: found along the search path. */
  readonly schema: string | undefined;
  readonly name: string;
}

export type Relation =
  /** Has rows of people: only those that are left when it is narrowed may be read. */
  | {
      readonly kind: 'protected';
      readonly schema: string;
      readonly name: string;
      /** What follows the table, with this alias, in `from`: joins that make no rows, and conditions, as SQL. */
      readonly narrowed: (alias: string) => string;
    }
  /** Has no personal data. */
  | { readonly kind: 'open'; readonly schema: string; readonly name: string }
  /** Its definition is put in its place, and read like any other statement. */
  | { readonly kind: 'view'; readonly schema: string; readonly name: string; readonly definition: string }
  | { readonly kind: 'refused'; readonly schema: string; readonly name: string; readonly reason: string };
