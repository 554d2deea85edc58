import type { QualifiedName } from './relation-catalog.ts';
import { parseStatement, refused, sameTree, statementText, type Tree } from './sql-tree.ts';

/** How the rows that a statement writes can be read in its own transaction. */
export type WrittenRows =
  /** It gives rows of its own choice: a query, or what its `returning` says. */
  | { readonly kind: 'given' }
  /** It adds, changes or deletes rows, and as this text gives each of them. */
  | { readonly kind: 'returned'; readonly sql: string }
  /** It makes a table, which afterwards has them; `schema` is undefined for the schema in which tables are made. */
  | { readonly kind: 'new-table'; readonly table: QualifiedName };

interface Made {
  readonly rel: { readonly relname: string; readonly schemaname?: string; readonly relpersistence?: string };
}

/**
 * What a statement that may run for a purpose writes. Throws SQL_REFUSED for one that cannot be made to give it.
 * {@link loadParser} must have been awaited.
 */
export function writtenRows(sql: string): WrittenRows {
  const tree = parseStatement(sql, Number.POSITIVE_INFINITY);
  const [kind = ''] = Object.keys(tree);
  const statement = tree[kind] as Tree;
  if (kind === 'InsertStmt' || kind === 'UpdateStmt' || kind === 'DeleteStmt')
    return statement.returningClause === undefined
      ? { kind: 'returned', sql: returningAll(sql, tree, statement) }
      : { kind: 'given' };
  const into = (kind === 'CreateTableAsStmt' ? statement.into : intoOf(statement)) as Made | undefined;
  if (into === undefined) return { kind: 'given' };
  const { relname: name, schemaname: schema, relpersistence } = into.rel;
  return { kind: 'new-table', table: { schema: relpersistence === 't' ? 'pg_temp' : schema, name } };
}

/** `into` stands in the first of the queries that `union` and its like put together. */
function intoOf(select: Tree): unknown {
  let at: Tree | undefined = select;
  while (at !== undefined && at.intoClause === undefined) at = at.larg as Tree | undefined;
  return at?.intoClause;
}

function returningAll(sql: string, tree: Tree, statement: Tree): string {
  // On a line of its own: the text may end with a comment.
  const text = `${statementText(sql)}\nreturning *`;
  const example = parseStatement('delete from a returning *').DeleteStmt as Tree;
  statement.returningClause = example.returningClause;
  if (!sameTree(parseStatement(text, Number.POSITIVE_INFINITY), tree))
    throw refused('The rows that the statement writes cannot be read. Add `returning *` at its end.');
  return text;
}
