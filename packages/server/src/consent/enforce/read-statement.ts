import { RangeNames } from './range-names.ts';
import type { QualifiedName, Relation, RelationCatalog } from './relation-catalog.ts';
import { refused, type Tree } from './sql-tree.ts';

/** A relation that a statement names, and where in its tree. */
export interface RelationRead {
  readonly relation: Relation;
  /** Whether it is what rows are written to, and not read there. */
  readonly isWritten: boolean;
  /** Whether it is read by `table t`, which is short for `select * from t`. */
  readonly isTable: boolean;
  /** The `RangeVar`. */
  readonly node: RangeVar;
  /** Puts another node in its place. */
  readonly replace: (node: Tree) => void;
}

export interface RangeVar extends Tree {
  readonly catalogname?: string;
  readonly schemaname?: string;
  readonly relname: string;
  /** Left out with `only`. */
  readonly inh?: boolean;
  readonly alias?: Tree;
  /** In bytes of UTF-8. */
  readonly location: number;
}

/** A column as it is named: `schema.table.column`, or less. */
export interface ColumnRef extends Tree {
  /** The last may be a star. */
  readonly fields: readonly { readonly String?: { readonly sval?: string } }[];
  /** In bytes of UTF-8. */
  readonly location?: number;
}

export interface StatementRead {
  readonly reads: readonly RelationRead[];
  /** Columns that are named with the schema of a relation that is replaced. */
  readonly columns: readonly ColumnRef[];
}

/** Whether other rows take its place. */
export function isReplaced({ relation, isWritten }: RelationRead): boolean {
  return relation.kind !== 'open' && !isWritten;
}

/** Kinds of nodes without a rule of their own: all of their fields are read. Any other kind is refused. */
const PLAIN = new Set(
  `A_ArrayExpr A_Const A_Indices A_Star BitString BoolExpr Boolean BooleanTest CaseExpr CaseWhen CoalesceExpr
  CollateClause ColumnDef Float GroupingFunc GroupingSet IndexElem InferClause Integer JoinExpr JsonAggConstructor JsonArrayAgg
  JsonArrayConstructor JsonArrayQueryConstructor JsonBehavior JsonFormat JsonFuncExpr JsonIsPredicate JsonKeyValue JsonObjectAgg
  JsonObjectConstructor JsonOutput JsonParseExpr JsonReturning JsonScalarExpr JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec
  JsonArgument JsonValueExpr List MinMaxExpr MultiAssignRef NamedArgExpr NullTest OnConflictClause ParamRef RangeSubselect
  RangeTableFunc RangeTableFuncCol ResTarget ReturningClause RowExpr SQLValueFunction SetToDefault String TypeCast WindowDef CTESearchClause CTECycleClause XmlExpr XmlSerialize`.split(
    /\s+/,
  ),
);

/** Fields whose node carries no name of its kind. */
const KIND_OF_FIELD: ReadonlyMap<string, string> = new Map([
  ['alias', 'Alias'],
  ['join_using_alias', 'Alias'],
  ['typeName', 'TypeName'],
  ['collClause', 'CollateClause'],
  ['over', 'WindowDef'],
  ['infer', 'InferClause'],
  ['onConflictClause', 'OnConflictClause'],
  ['returningClause', 'ReturningClause'],
  ['search_clause', 'CTESearchClause'],
  ['cycle_clause', 'CTECycleClause'],
  ['larg', 'SelectStmt'],
  ['rarg', 'SelectStmt'],
  ['ival', 'Integer'],
  ['fval', 'Float'],
  ['boolval', 'Boolean'],
  ['sval', 'String'],
  ['bsval', 'BitString'],
  ['format', 'JsonFormat'],
  ['output', 'JsonOutput'],
  ['returning', 'JsonReturning'],
  ['constructor', 'JsonAggConstructor'],
  ['raw_expr', 'JsonValueExpr'],
  ['context_item', 'JsonValueExpr'],
  ['value', 'JsonValueExpr'],
  ['expr', 'JsonValueExpr'],
  ['arg', 'JsonKeyValue'],
  ['pathspec', 'JsonTablePathSpec'],
  ['on_empty', 'JsonBehavior'],
  ['on_error', 'JsonBehavior'],
]);

const STATEMENTS = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'CreateTableAsStmt']);

/** What every table has, and no subquery. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

/** Ways to take a part of a table's rows that PostgreSQL has itself. */
const SAMPLERS = new Set(['system', 'bernoulli']);

/** Names of `with` that hide relations. */
type Scope = ReadonlySet<string>;

/**
 * Every relation that the statement reads or writes to, wherever it stands, and the columns that are named with the schema of one. Throws
 * SQL_REFUSED for whatever is not known to be harmless: kinds of statements and of nodes, functions, operators, types, relations.
 */
export function readStatement(statement: Tree, catalog: RelationCatalog): StatementRead {
  if (catalog.unseenCode !== undefined) throw refused(catalog.unseenCode);
  const reader = new StatementReader(catalog);
  const [kind = ''] = Object.keys(statement);
  if (!STATEMENTS.has(kind)) throw refused(`${wordsOf(kind)} is not a statement that a job may run.`);
  reader.visit(statement, { scope: new Set(), replace: () => undefined });
  return { reads: reader.reads, columns: reader.replacedColumns() };
}

interface Place {
  readonly scope: Scope;
  readonly replace: (node: Tree) => void;
}

class StatementReader {
  readonly reads: RelationRead[] = [];
  readonly #catalog: RelationCatalog;
  readonly #names = new RangeNames();
  /** With a schema. */
  readonly #longColumns: ColumnRef[] = [];
  #systemColumn: string | undefined;
  /** What is read by `table t`. */
  readonly #shorthands = new Set<unknown>();
  /** Kinds of nodes with a rule of their own. */
  readonly #rules: ReadonlyMap<string, (node: Tree, place: Place) => void>;

  constructor(catalog: RelationCatalog) {
    this.#catalog = catalog;
    this.#rules = new Map<string, (node: Tree, place: Place) => void>([
      ['SelectStmt', (node, { scope }) => this.#select(node, scope)],
      ['InsertStmt', (node, { scope }) => this.#change(node, scope, 'adds')],
      ['UpdateStmt', (node, { scope }) => this.#change(node, scope, 'changes')],
      ['DeleteStmt', (node, { scope }) => this.#change(node, scope, 'changes')],
      ['CreateTableAsStmt', (node, { scope }) => this.#createTable(node, scope)],
      ['RangeVar', (node, place) => this.#read(node as RangeVar, place)],
      ['FuncCall', (node, { scope }) => this.#call(node, scope)],
      [
        'A_Indirection',
        (node, { scope }) => this.#attributes(node, scope, node.indirection as readonly Tree[]),
      ],
      ['ColumnRef', (node, { scope }) => this.#column(node as ColumnRef, scope)],
      ['Alias', (node, { scope }) => this.#alias(node, scope)],
      ['ReturningOption', (node) => this.#names.addOther(node.value)],
      ['RangeFunction', (node, { scope }) => this.#rangeFunction(node, scope)],
      ['RangeTableSample', (node, { scope }) => this.#sample(node, scope)],
      ['A_Expr', (node, { scope }) => this.#operator(node, scope, 'name')],
      ['SubLink', (node, { scope }) => this.#operator(node, scope, 'operName')],
      ['SortBy', (node, { scope }) => this.#operator(node, scope, 'useOp')],
      ['TypeName', (node) => this.#type(node)],
    ]);
  }

  /** A node with its kind: `{ ColumnRef: {…} }`. */
  visit(tagged: Tree, place: Place): void {
    const kinds = Object.keys(tagged);
    const [kind = ''] = kinds;
    // In a list, nothing stands for what was left out.
    if (kinds.length === 0) return;
    const node = tagged[kind];
    if (kinds.length > 1 || typeof node !== 'object' || node === null)
      throw refused('The statement has a shape that is not known.');
    this.#visitKind(kind, node as Tree, place);
  }

  #visitKind(kind: string, node: Tree, place: Place): void {
    const rule = this.#rules.get(kind);
    if (rule !== undefined) rule(node, place);
    else if (PLAIN.has(kind)) this.#fields(node, place.scope);
    else throw refused(`${wordsOf(kind)} is not known to be harmless, and so it is not run.`);
  }

  #fields(node: Tree, scope: Scope, without: readonly string[] = []): void {
    for (const [field, value] of Object.entries(node)) {
      if (without.includes(field) || typeof value !== 'object' || value === null) continue;
      if (Array.isArray(value)) {
        value.forEach((item: Tree, index) => {
          this.visit(item, {
            scope,
            replace: (other) => {
              value[index] = other;
            },
          });
        });
        continue;
      }
      const place = {
        scope,
        replace: (other: Tree) => {
          node[field] = other;
        },
      };
      const [first = ''] = Object.keys(value);
      // Kinds begin with a capital letter, fields never do.
      if (/^[A-Z]/.test(first)) this.visit(value as Tree, place);
      else this.#untagged(field, value as Tree, place);
    }
  }

  #untagged(field: string, value: Tree, place: Place): void {
    const kind = KIND_OF_FIELD.get(field);
    if (kind === undefined) throw refused(`The statement has a part "${field}" that is not known.`);
    this.#visitKind(kind, value, place);
  }

  #select(select: Tree, scope: Scope): void {
    if (select.lockingClause !== undefined)
      throw refused('FOR UPDATE and FOR SHARE lock rows of everybody. Leave it out.');
    const inner = this.#with(select.withClause as Tree | undefined, scope);
    const into = select.intoClause as Tree | undefined;
    if (into !== undefined) this.#newTable(into);
    const from = (select.fromClause ?? []) as readonly Tree[];
    if (isShorthand(select)) this.#shorthands.add(from[0]?.RangeVar);
    this.#fields(select, inner, ['withClause', 'intoClause']);
    this.#distinct(from, inner);
  }

  /** The scope of what follows a `with`. Without `recursive` a query sees those before it, with it all of them. */
  #with(clause: Tree | undefined, scope: Scope): Scope {
    if (clause === undefined) return scope;
    const queries = (clause.ctes as readonly { readonly CommonTableExpr: Tree }[]).map(
      ({ CommonTableExpr }) => CommonTableExpr,
    );
    const recursive = clause.recursive === true;
    const names = queries.map(({ ctename }) => String(ctename));
    let seen: Scope = recursive ? new Set([...scope, ...names]) : scope;
    for (const [index, query] of queries.entries()) {
      this.#fields(query, seen);
      if (!recursive) seen = new Set([...seen, names[index] ?? '']);
    }
    return seen;
  }

  #change(change: Tree, scope: Scope, how: 'adds' | 'changes'): void {
    const target = change.relation as RangeVar;
    const relation = this.#known(target);
    const overwrites = (change.onConflictClause as Tree | undefined)?.action === 'ONCONFLICT_UPDATE';
    if (relation.kind === 'view') throw refused(`${named(relation)} is a view; a job may not write to it.`);
    if (relation.kind === 'protected' && (how === 'changes' || overwrites))
      throw refused(
        `${named(relation)} has rows of people who did not agree; a job may only add rows to it, and not change those that are there.`,
      );
    const changes = how === 'changes' || overwrites;
    const reason = relation.kind === 'refused' ? undefined : this.#catalog.writingRefused(relation, changes);
    if (reason !== undefined) throw refused(`Nothing may be written to ${named(relation)}: ${reason}`);
    this.reads.push({
      relation,
      isWritten: true,
      isTable: false,
      node: target,
      replace: () => undefined,
    });
    this.#called(target, relation);
    const inner = this.#with(change.withClause as Tree | undefined, scope);
    this.#fields(change, inner, ['withClause', 'relation']);
    const from = [change.fromClause, change.usingClause].flatMap((items) => (items ?? []) as readonly Tree[]);
    this.#distinct(from, inner, target);
  }

  #createTable(create: Tree, scope: Scope): void {
    if (create.objtype !== 'OBJECT_TABLE')
      throw refused(
        'A job may make a table, and no materialized view: that would be read again without its purpose.',
      );
    this.#newTable(create.into as Tree);
    this.#fields(create, scope, ['into']);
  }

  #newTable(into: Tree): void {
    if (into.options !== undefined || into.accessMethod !== undefined || into.tableSpaceName !== undefined)
      throw refused('A job may not say how a new table is stored.');
  }

  #read(node: RangeVar, { scope, replace }: Place): void {
    if (isOfWith(node, scope)) {
      this.#called(node, undefined);
      return;
    }
    const relation = this.#known(node);
    this.#called(node, relation);
    this.reads.push({ relation, isWritten: false, isTable: this.#shorthands.has(node), node, replace });
  }

  /** Notes by what name its columns are found. */
  #called({ alias, relname }: RangeVar, relation: Relation | undefined): void {
    if (alias !== undefined) this.#names.addOther(alias.aliasname);
    else if (relation === undefined) this.#names.addOther(relname);
    else this.#names.addTable(relation);
  }

  /** PostgreSQL tells tables of one name by their schemas; what takes their places has none. */
  #distinct(from: readonly Tree[], scope: Scope, target?: RangeVar): void {
    const nodes = target === undefined ? rangeVars(from) : [target, ...rangeVars(from)];
    if (nodes.length < 2) return;
    const seen = new Map<string, Relation>();
    for (const node of nodes) {
      if (node.alias !== undefined || (node !== target && isOfWith(node, scope))) continue;
      const relation = this.#known(node);
      const other = seen.get(node.relname);
      seen.set(node.relname, relation);
      if (other === undefined || other.schema === relation.schema) continue;
      if (other.kind !== 'open' || relation.kind !== 'open')
        throw refused(
          `${named(other)} and ${named(relation)} stand in one \`from\`. Give each of the tables called ${node.relname} an alias.`,
        );
    }
  }

  #sample(node: Tree, scope: Scope): void {
    const method = nameOf(node.method);
    if (!SAMPLERS.has(method.name) || (method.schema ?? 'pg_catalog') !== 'pg_catalog')
      throw refused(
        `TABLESAMPLE with ${named(method)} is not known to be harmless. Use \`system\` or \`bernoulli\`.`,
      );
    const before = this.reads.length;
    this.visit(node.relation as Tree, { scope, replace: () => undefined });
    const read = this.reads[before];
    if (read !== undefined && isReplaced(read))
      throw refused(
        `${named(read.relation)} cannot be read with TABLESAMPLE, which chooses among the rows of everybody. Write \`where random() < 0.1\` instead.`,
      );
    this.#fields(node, scope, ['relation', 'method']);
  }

  #alias(alias: Tree, scope: Scope): void {
    this.#names.addOther(alias.aliasname);
    this.#fields(alias, scope);
  }

  #rangeFunction(node: Tree, scope: Scope): void {
    if (node.alias === undefined)
      this.#names.addFunctions(node.functions as readonly { readonly List: Tree }[]);
    this.#fields(node, scope);
  }

  #column(node: ColumnRef, scope: Scope): void {
    const [first] = node.fields;
    if (node.fields.length > 2) this.#longColumns.push(node);
    if (node.fields.length === 1 && SYSTEM_COLUMNS.has(first?.String?.sval ?? ''))
      this.#systemColumn ??= first?.String?.sval;
    this.#attributes(node, scope, node.fields.slice(1).slice(-1));
  }

  /**
   * The columns that are named with the schema of what is replaced, which has none any more. Refused where another would be found
   * without it. To be called when everything was visited.
   */
  replacedColumns(): readonly ColumnRef[] {
    const replaced = this.reads.filter(isReplaced).map(({ relation }) => relation);
    if (replaced.length > 0 && this.#systemColumn !== undefined)
      throw refused(
        `A table with people's rows has no column "${this.#systemColumn}" here, and that of another table would be taken for it. Name it with its table: \`table.${this.#systemColumn}\`.`,
      );
    if (this.#longColumns.length === 0) return [];
    const keys = new Set(replaced.map(keyOf));
    return this.#longColumns.filter(({ fields }) => {
      const texts = fields.map(({ String: text }) => text?.sval ?? '*');
      const [schema = '', name = ''] = texts.slice(-3, -1);
      if (!keys.has(keyOf({ schema, name }))) return false;
      if (texts.length > 3)
        throw refused(`${named({ schema, name })} is named with its database. Leave that out.`);
      if (!this.#names.isOnly({ schema, name }))
        throw refused(
          `"${texts.join('.')}" may be taken for a column of something else called ${name}. Give the table an alias, and name the column with it.`,
        );
      return true;
    });
  }

  #known(node: RangeVar): Relation {
    const name = { schema: node.schemaname, name: node.relname };
    if (node.catalogname !== undefined)
      throw refused(`${named(name)} is named with its database. Leave that out.`);
    const relation = this.#catalog.relation(name);
    if (relation === undefined)
      throw refused(
        `${named(name)} is not known. Say in \`consent.targets[].tables\` whose rows it has, or that it has none of people.`,
      );
    if (relation.kind === 'refused') throw refused(`${named(relation)} cannot be read: ${relation.reason}`);
    return relation;
  }

  #call(call: Tree, scope: Scope): void {
    const name = nameOf(call.funcname);
    const reason = this.#catalog.functionRefused(name);
    if (reason !== undefined) throw refused(`The function ${named(name)} may not be called: ${reason}`);
    this.#fields(call, scope, ['funcname']);
  }

  /** What is no column PostgreSQL takes for a function: `(value).name` and `row.name` are `name(value)` then. */
  #attributes(node: Tree, scope: Scope, names: readonly Tree[]): void {
    for (const { String: named } of names as readonly { readonly String?: { readonly sval?: string } }[]) {
      const reason = named && this.#catalog.attributeRefused(named.sval ?? '');
      if (reason !== undefined)
        throw refused(
          `"${named?.sval}" may not stand behind a value or a row: it is the name of a function, ${reason}`,
        );
    }
    this.#fields(node, scope);
  }

  /** An expression with an operator in a field of it, if it has one. */
  #operator(expression: Tree, scope: Scope, field: string): void {
    if (expression[field] !== undefined) {
      const name = nameOf(expression[field]);
      const reason = this.#catalog.operatorRefused(name);
      if (reason !== undefined) throw refused(`The operator ${named(name)} may not be used: ${reason}`);
    }
    this.#fields(expression, scope, [field]);
  }

  #type(type: Tree): void {
    const name = nameOf(type.names);
    const reason = this.#catalog.typeRefused(name);
    if (reason !== undefined) throw refused(`The type ${named(name)} may not be used: ${reason}`);
  }
}

/** Whether it is `table t`: its star stands nowhere in the text. */
function isShorthand(select: Tree): boolean {
  const [first] = (select.targetList ?? []) as readonly { readonly ResTarget?: Tree }[];
  return first?.ResTarget?.location === -1;
}

/** Whether a `with` gives its rows. */
function isOfWith({ catalogname, schemaname, relname }: RangeVar, scope: Scope): boolean {
  return schemaname === undefined && catalogname === undefined && scope.has(relname);
}

/** What a `from` names; within joins too, if they have no alias that hides it. */
function rangeVars(from: readonly Tree[]): readonly RangeVar[] {
  return from.flatMap((item) => {
    if (item.RangeVar !== undefined) return [item.RangeVar as RangeVar];
    const sampled = item.RangeTableSample as { readonly relation: Tree } | undefined;
    if (sampled !== undefined) return rangeVars([sampled.relation]);
    const join = item.JoinExpr as Record<'larg' | 'rarg' | 'alias', Tree | undefined> | undefined;
    if (join === undefined || join.alias !== undefined) return [];
    return rangeVars([join.larg ?? {}, join.rarg ?? {}]);
  });
}

function keyOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return JSON.stringify([schema, name]);
}

/** The last two of the texts of a name. */
function nameOf(list: unknown): QualifiedName {
  const texts = (list as readonly { readonly String: { readonly sval?: string } }[]).map(
    ({ String: { sval } }) => sval ?? '',
  );
  return { schema: texts.at(-2), name: texts.at(-1) ?? '' };
}

function named({ schema, name }: QualifiedName): string {
  return schema === undefined ? `"${name}"` : `"${schema}.${name}"`;
}

/** `CopyStmt` as people write it: COPY. */
function wordsOf(kind: string): string {
  return kind
    .replace(/Stmt$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toUpperCase();
}
