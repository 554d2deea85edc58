import { loadModule, parseSync } from 'libpg-query';
import { CATALOG, FUNCTIONS, LEADER_FUNCTIONS, RESERVED, SETTINGS, TYPES } from './redshift-words.ts';

type Tree = { readonly [field: string]: unknown };

await loadModule();

/** What Redshift would say against a text of statements, in its own style; empty: nothing. */
export function refusedByRedshift(sql: string): readonly string[] {
  const check = new Check();
  for (const word of unquotedWords(sql))
    if (RESERVED.has(word)) check.refuse(`syntax error at or near "${word}"`);
  for (const { stmt } of (parseSync(sql) as { stmts?: { stmt: Tree }[] }).stmts ?? []) check.statement(stmt);
  return [...new Set(check.reasons)];
}

const STATEMENTS: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'CreateStmt',
  'TransactionStmt',
  'VariableSetStmt',
]);
const TRANSACTIONS: ReadonlySet<string> = new Set([
  'TRANS_STMT_BEGIN',
  'TRANS_STMT_COMMIT',
  'TRANS_STMT_ROLLBACK',
]);

/** Parts of statements that Redshift does not have, by the node or field that PostgreSQL's parser makes of them. */
const NODES: Readonly<Record<string, string>> = {
  OnConflictClause: 'ON CONFLICT is not supported',
  LockingClause: 'SELECT FOR UPDATE/SHARE is not supported',
  RangeFunction: 'Functions in FROM are not supported on Redshift tables',
  RangeTableSample: 'TABLESAMPLE is not supported',
  A_ArrayExpr: 'Array type is not supported',
  A_Indirection: 'Array type is not supported',
  RowExpr: 'Row values are not supported',
  XmlExpr: 'type "xml" does not exist',
  CollateClause: 'COLLATE is not supported here',
};
const FIELDS: Readonly<Record<string, string>> = {
  onConflictClause: 'ON CONFLICT is not supported',
  returningList: 'RETURNING is not supported',
  returningClause: 'RETURNING is not supported',
  lockingClause: 'SELECT FOR UPDATE/SHARE is not supported',
  arrayBounds: 'Array type is not supported',
  agg_filter: 'FILTER is not supported',
  agg_order: 'ORDER BY in an aggregate is not supported',
  lateral: 'LATERAL is not supported',
  partspec: 'PARTITION BY is not supported',
  inhRelations: 'INHERITS is not supported',
};

class Check {
  readonly reasons: string[] = [];
  #readsTables = false;
  #isOnLeader = false;

  refuse(reason: string): void {
    this.reasons.push(reason);
  }

  statement(statement: Tree): void {
    const [kind = '', body] = Object.entries(statement)[0] ?? [];
    if (!STATEMENTS.has(kind)) {
      this.refuse(`${kind} is not supported`);
      return;
    }
    this.#readsTables = false;
    this.#isOnLeader = false;
    const tree = body as Tree;
    if (kind === 'TransactionStmt' && !TRANSACTIONS.has(`${tree.kind}`))
      this.refuse('SQL command SAVEPOINT, or a prepared transaction, is not supported');
    if (kind === 'VariableSetStmt' && !SETTINGS.has(`${tree.name}`))
      this.refuse(`unrecognized configuration parameter "${tree.name}"`);
    if (kind === 'CreateStmt') this.#create(tree);
    const inserted = (tree.selectStmt as Tree | undefined)?.SelectStmt as Tree | undefined;
    // Only an insertion has rows of values.
    if (inserted?.valuesLists !== undefined) this.#walk(inserted.valuesLists, []);
    else this.#walk(statement, []);
    if (this.#readsTables && this.#isOnLeader)
      this.refuse(
        'Specified types or functions (one per INFO message) not supported on Redshift tables: leader node',
      );
  }

  #create(tree: Tree): void {
    if ((tree.relation as Tree).relpersistence !== 't') this.refuse('permission denied: a lasting table');
    if (tree.oncommit !== 'ONCOMMIT_NOOP') this.refuse('ON COMMIT is not supported');
  }

  /** `blocks`: the names that each query around has, the nearest one last. */
  #walk(node: unknown, blocks: readonly ReadonlySet<string>[]): void {
    if (Array.isArray(node)) for (const part of node) this.#walk(part, blocks);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    for (const [name, value] of Object.entries(node)) this.#look(name, value, blocks);
  }

  #look(name: string, value: unknown, blocks: readonly ReadonlySet<string>[]): void {
    const reason = NODES[name] ?? (isSaid(value) ? FIELDS[name] : undefined);
    if (reason !== undefined) this.refuse(reason);
    const tree = (typeof value === 'object' && value !== null ? value : {}) as Tree;
    if (name === 'FuncCall') this.#function(lastOf(tree.funcname));
    if (name === 'TypeName' || name === 'typeName') this.#type(lastOf(tree.names));
    if (name === 'RangeVar' || name === 'relation') this.#table(tree);
    if (name === 'ColumnRef') this.#column(tree, blocks);
    if (name === 'CommonTableExpr' && !('SelectStmt' in (tree.ctequery as Tree)))
      this.refuse('WITH is only supported for queries');
    if (name === 'distinctClause' && Object.keys((value as Tree[])[0] ?? {}).length > 0)
      this.refuse('DISTINCT ON is not supported');
    if (name === 'valuesLists') this.refuse('VALUES list used as constant tables is not supported');
    if (name === 'A_Expr' && /OP_A(NY|LL)$/.test(`${tree.kind}`))
      this.refuse('Array type is not supported: = any');
    // The sides of a union have no name of their own; those of a join have no list of results.
    const isQuery =
      ['SelectStmt', 'UpdateStmt', 'DeleteStmt'].includes(name) || tree.targetList !== undefined;
    this.#walk(value, isQuery ? [...blocks, namesIn(tree)] : blocks);
  }

  #function(name: string): void {
    if (LEADER_FUNCTIONS.has(name)) this.#isOnLeader = true;
    else if (!FUNCTIONS.has(name)) this.refuse(`function ${name}() does not exist`);
  }

  #type(name: string): void {
    if (!TYPES.has(name)) this.refuse(`type "${name}" does not exist, or is another one than it seems`);
  }

  #table(tree: Tree): void {
    const name = `${tree.relname ?? ''}`;
    const isCatalog = tree.schemaname === 'pg_catalog' || name.startsWith('pg_');
    if (isCatalog && !CATALOG.has(name)) this.refuse(`relation "${name}" does not exist`);
    if (isCatalog) this.#isOnLeader = true;
    else if (name !== '') this.#readsTables = true;
  }

  /** A query may use the names of the query around it, and not those of the one around that. */
  #column(tree: Tree, blocks: readonly ReadonlySet<string>[]): void {
    const fields = (tree.fields as readonly Tree[]).map((field) => (field.String as Tree)?.sval);
    if (fields.length < 2) return;
    const distance = blocks.toReversed().findIndex((names) => names.has(`${fields[0]}`));
    if (distance > 1)
      this.refuse('This type of correlated subquery pattern is not supported due to internal error');
  }
}

function isSaid(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

/** The last part of a name that may have a schema before it. */
function lastOf(names: unknown): string {
  const last = (names as readonly { String: { sval: string } }[] | undefined)?.at(-1);
  return last?.String.sval ?? '';
}

/** What `from`, `using` and the changed table are called in a query. */
function namesIn(query: Tree): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (from: unknown): void => {
    if (Array.isArray(from)) for (const one of from) add(one);
    if (typeof from !== 'object' || from === null || Array.isArray(from)) return;
    const { RangeVar, RangeSubselect, JoinExpr } = from as Record<string, Tree | undefined>;
    const named = RangeVar ?? RangeSubselect;
    const alias = (named?.alias as Tree | undefined)?.aliasname ?? named?.relname;
    if (alias !== undefined) names.add(`${alias}`);
    if (JoinExpr !== undefined) add([JoinExpr.larg, JoinExpr.rarg]);
  };
  add(query.fromClause);
  add(query.usingClause);
  if (query.relation !== undefined) add({ RangeVar: query.relation });
  return names;
}

/** Words outside of texts and quoted names, in small letters. */
function unquotedWords(sql: string): readonly string[] {
  return (
    sql
      .replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, ' ')
      .toLowerCase()
      .match(/[a-z_][a-z0-9_]*/g) ?? []
  );
}
