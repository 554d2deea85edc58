import type { QualifiedName, Relation } from './relation-catalog.ts';
import type { Tree } from './sql-tree.ts';

/** Names of rows that nobody writes. */
const UNWRITTEN = ['excluded', 'old', 'new', 'xmltable', 'json_table'];

/** All names in a statement by which columns of rows may be found, wherever in it they stand. */
export class RangeNames {
  /** Schemas of the tables that are read or written to under their own names. */
  readonly #tables = new Map<string, Set<string>>();
  readonly #others = new Set<string>(UNWRITTEN);
  #hasUnknown = false;

  addTable(relation: Relation): void {
    const schemas = this.#tables.get(relation.name);
    if (schemas === undefined) this.#tables.set(relation.name, new Set([relation.schema]));
    else schemas.add(relation.schema);
  }

  addOther(name: unknown): void {
    this.#others.add(String(name));
  }

  /** @param functions - of one item of `from` without an alias: a function gives it its name, other expressions theirs, or that of their value */
  addFunctions(functions: readonly { readonly List: Tree }[]): void {
    for (const { List: list } of functions) {
      const [value] = list.items as readonly { readonly FuncCall?: Tree }[];
      const names = (value?.FuncCall?.funcname ?? []) as readonly { readonly String?: Tree }[];
      const name = names.at(-1)?.String?.sval;
      if (name === undefined) this.#hasUnknown = true;
      else this.addOther(name);
    }
  }

  /** Whether nothing but this table is found by its name. */
  isOnly({ schema, name }: QualifiedName): boolean {
    const schemas = this.#tables.get(name);
    if (this.#hasUnknown || this.#others.has(name) || schemas === undefined) return false;
    return schemas.size === 1 && schemas.has(schema ?? '');
  }
}
