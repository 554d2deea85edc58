import type { Tree } from './duckdb-tree.ts';
import { SqlRefusedError } from './sql-refused-error.ts';

/** A table that a statement names, and where in its tree. */
export interface TableRead {
  readonly node: BaseTable;
  readonly replace: (node: Tree) => void;
}

export interface BaseTable extends Tree {
  readonly catalog_name: string;
  readonly schema_name: string;
  readonly table_name: string;
  readonly alias: string;
  /** In bytes of UTF-8. */
  readonly query_location: number;
  readonly column_name_alias: readonly string[];
  readonly sample: unknown;
  readonly at_clause: unknown;
}

/** A function that a statement calls, and whether it stands in `from`. */
export interface Call {
  readonly name: string;
  readonly kind: 'expression' | 'table';
}

/** Expressions, all of whose fields are read. Any other class is refused. */
const EXPRESSIONS = new Set([
  'BETWEEN',
  'CASE',
  'CAST',
  'COLLATE',
  'COLUMN_REF',
  'COMPARISON',
  'CONJUNCTION',
  'CONSTANT',
  'FUNCTION',
  'LAMBDA',
  'LAMBDA_REF',
  'OPERATOR',
  'PARAMETER',
  'POSITIONAL_REFERENCE',
  'STAR',
  'SUBQUERY',
  'WINDOW',
]);

/** Queries, what stands in `from`, and what follows a query. Any other type is refused. */
const NODES = new Set([
  'SELECT_NODE',
  'SET_OPERATION_NODE',
  'RECURSIVE_CTE_NODE',
  'CTE_NODE',
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'TABLE_FUNCTION',
  'EXPRESSION_LIST',
  'EMPTY',
  'ORDER_MODIFIER',
  'LIMIT_MODIFIER',
  'LIMIT_PERCENT_MODIFIER',
  'DISTINCT_MODIFIER',
]);

/** Orders of rows: objects with a `type` that is no node. */
const PLAIN_TYPES = new Set(['ORDER_DEFAULT', 'ASCENDING', 'DESCENDING', 'ASC', 'DESC']);

/** Fields in which there is the name of a type, or what is looked at elsewhere, and nothing that is read. */
const VALUES = new Set(['cast_type', 'sample', 'at_clause', 'expected_types']);

type Scope = ReadonlySet<string>;

interface Place {
  readonly scope: Scope;
  readonly replace: (node: Tree) => void;
}

/** Every table that the statement names, but for names of `with`, every function, and every column with what stands before its name. Throws {@link SqlRefusedError} for whatever is not known to be harmless. */
export function readDuckDbStatement(statement: Tree): {
  readonly reads: readonly TableRead[];
  readonly calls: readonly Call[];
  readonly columns: readonly (readonly string[])[];
} {
  const reads: TableRead[] = [];
  const calls: Call[] = [];
  const columns: (readonly string[])[] = [];

  function visit(value: unknown, place: Place): void {
    if (Array.isArray(value)) {
      value.forEach((item: unknown, index) => {
        const replace = (node: Tree) => {
          value[index] = node;
        };
        visit(item, { scope: place.scope, replace });
      });
    } else if (typeof value === 'object' && value !== null) visitNode(value as Tree, place);
  }

  function visitNode(node: Tree, place: Place): void {
    const { class: kind, type } = node;
    if (typeof kind === 'string') {
      if (!EXPRESSIONS.has(kind)) throw refusedKind(kind);
      if (kind === 'FUNCTION' || kind === 'WINDOW')
        calls.push({ name: String(node.function_name), kind: 'expression' });
      if (kind === 'COLUMN_REF') columns.push(node.column_names as readonly string[]);
    } else if (typeof type === 'string') {
      if (!NODES.has(type) && !PLAIN_TYPES.has(type)) throw refusedKind(type);
      if (type === 'BASE_TABLE') {
        read(node as BaseTable, place);
        return;
      }
      if (type === 'JOIN') columns.push(...(node.using_columns as readonly string[]).map((name) => [name]));
      if (type === 'TABLE_FUNCTION') {
        const { function: called } = node as { readonly function?: Tree };
        calls.push({ name: String(called?.function_name), kind: 'table' });
        fields(called ?? {}, place.scope);
        return;
      }
    }
    if (node.cte_map !== undefined) {
      const inner = withQueries(node.cte_map as CteMap, place.scope);
      if (type === 'RECURSIVE_CTE_NODE') {
        visit(node.left, { ...place, scope: inner });
        const own = new Set([...inner, folded(String(node.cte_name))]);
        visit(node.right, { ...place, scope: own });
        fields(node, own, ['cte_map', 'left', 'right']);
      } else fields(node, inner, ['cte_map']);
    } else fields(node, place.scope);
  }

  function fields(node: Tree, scope: Scope, without: readonly string[] = []): void {
    for (const [field, value] of Object.entries(node)) {
      if (VALUES.has(field) || without.includes(field)) continue;
      // In what `replace` puts into `*` a field of that name holds an expression.
      if (field === 'value' && node.class === 'CONSTANT') continue;
      const replace = (other: Tree) => {
        node[field] = other;
      };
      visit(value, { scope, replace });
    }
  }

  /** The scope of what follows a `with`: each query sees those before it. */
  function withQueries({ map }: CteMap, scope: Scope): Scope {
    let seen = scope;
    for (const { key, value } of map) {
      fields(value, seen);
      seen = new Set([...seen, folded(key)]);
    }
    return seen;
  }

  function read(node: BaseTable, { scope, replace }: Place): void {
    if (node.catalog_name === '' && node.schema_name === '' && scope.has(folded(node.table_name))) return;
    reads.push({ node, replace });
  }

  visit(statement, { scope: new Set(), replace: () => undefined });
  return { reads, calls, columns };
}

interface CteMap {
  readonly map: readonly { readonly key: string; readonly value: Tree }[];
}

function refusedKind(kind: string): SqlRefusedError {
  return new SqlRefusedError(
    `${kind.replaceAll('_', ' ')} is not known to be harmless, and so it is not run.`,
  );
}

/** DuckDB takes letters of ASCII for one whatever their case. */
export function folded(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
