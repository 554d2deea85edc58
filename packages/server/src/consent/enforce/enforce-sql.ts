import {
  type ColumnRef,
  isReplaced,
  type RangeVar,
  type RelationRead,
  readStatement,
} from './read-statement.ts';
import type { Relation, RelationCatalog } from './relation-catalog.ts';
import { identifierText, relationSpan, schemaSpan, type TextSpan, unitsOf } from './relation-span.ts';
import { parseStatement, refused, sameTree, type Tree, tooDeep } from './sql-tree.ts';

export interface EnforcedSql {
  /**
   * The same statement, each protected relation replaced by those of its rows that may be read, and each other table named with its schema: another
   * `search_path`, or a temporary table, would make it another table.
   */
  readonly sql: string;
  /** What was replaced, each relation once, in the order of the text. */
  readonly relations: readonly Pick<Relation, 'schema' | 'name'>[];
}

/** Names a row of a protected relation within what replaces it. */
const ROW = 'habeas_row';
/** Views on views on views: more is a circle that PostgreSQL would not have let anybody make. */
const DEEPEST = 32;

/**
 * The statement as it may run: each relation with rows of people is replaced, where it stands, by `(select … from … where …)` of the
 * rows that may be read, so that joins, subqueries and windows mean what they meant. Nothing is appended to `where`, which outer
 * joins would undo. The result is parsed again and must be exactly the tree that was intended. Throws SQL_REFUSED with the reason.
 * {@link loadParser} must have been awaited.
 */
export function enforceSql(sql: string, catalog: RelationCatalog): EnforcedSql {
  try {
    return enforce(sql, catalog, DEEPEST);
  } catch (error) {
    // Deeper than the stack of who walks over the tree.
    if (error instanceof RangeError) throw tooDeep(error);
    throw error;
  }
}

const UNSAFE_NAME =
  'The statement names a table in a way that cannot be rewritten safely. Name it as `schema.table as alias`.';

interface Replacement {
  /** In bytes of UTF-8. */
  readonly location: number | undefined;
  /** What is replaced, if the location is this one in UTF-16 units. */
  readonly spanAt: (sql: string, start: number) => TextSpan;
  /** What replaces it. */
  readonly text: string;
  /** Does to the tree what is done to the text. */
  readonly intend: () => void;
}

function enforce(sql: string, catalog: RelationCatalog, depth: number): EnforcedSql {
  const tree = parseStatement(sql);
  const { reads, columns } = readStatement(tree, catalog);
  const replacements: Replacement[] = columns.map(withoutSchema);
  const relations = new Map<string, Pick<Relation, 'schema' | 'name'>>();
  for (const read of reads) {
    const { relation, node } = read;
    if (!isReplaced(read)) {
      if (node.schemaname === undefined) replacements.push(qualified(read));
      continue;
    }
    if (node.inh !== true && relation.kind === 'protected')
      throw refused(`"only ${relation.name}" would read a table without its partitions. Leave \`only\` out.`);
    const inner = queryOf(relation, catalog, depth);
    replacements.push(narrowed(read, inner.query));
    for (const found of inner.relations) relations.set(JSON.stringify([found.schema, found.name]), found);
  }
  if (replacements.length === 0) return { sql, relations: [] };
  const text = spliced(sql, replacements);
  for (const { intend } of replacements) intend();
  if (!sameTree(parseRewritten(text), tree)) throw refused(UNSAFE_NAME);
  return { sql: text, relations: [...relations.values()] };
}

/** What was written was SQL: if what was made of it is none, a name stands where nothing else can. */
function parseRewritten(text: string): Tree {
  try {
    return parseStatement(text, Number.POSITIVE_INFINITY);
  } catch (cause) {
    throw refused(UNSAFE_NAME, { cause });
  }
}

/** A table with its schema; in `from` it keeps its name as alias. */
function qualified(read: RelationRead): Replacement {
  const { schema, name } = read.relation;
  const text = `${identifierText(schema)}.${identifierText(name)}`;
  return replacement(read, text, () => Object.assign(read.node, { schemaname: schema }));
}

/** @param query - in brackets, without an alias */
function narrowed(read: RelationRead, query: string): Replacement {
  const { node, replace } = read;
  const alias = node.alias === undefined ? ` as ${identifierText(node.relname)}` : '';
  return replacement(read, `${query}${alias}`, () => replace(subselect(query, node)));
}

function replacement({ node, isTable }: RelationRead, text: string, intend: () => void): Replacement {
  return {
    location: node.location,
    spanAt: (sql, start) => relationSpan(sql, start, node, isTable),
    text,
    intend,
  };
}

/** A column of what takes the place of a table is named with the table's name only. */
function withoutSchema(node: ColumnRef): Replacement {
  const [, relation] = node.fields;
  return {
    location: node.location,
    spanAt: (sql, start) => schemaSpan(sql, start, relation?.String?.sval ?? ''),
    text: '',
    intend: () => Object.assign(node, { fields: node.fields.slice(1) }),
  };
}

function queryOf(relation: Relation, catalog: RelationCatalog, depth: number) {
  const { schema, name } = relation;
  if (relation.kind === 'protected') {
    const from = `${identifierText(schema)}.${identifierText(name)}`;
    return {
      query: `(select ${ROW}.* from ${from} as ${ROW}${relation.narrowed(ROW)})`,
      relations: [{ schema, name }],
    };
  }
  if (relation.kind !== 'view' || depth === 0)
    throw refused(`The view "${schema}.${name}" is made of too many others.`);
  const enforced = enforce(relation.definition, catalog, depth - 1);
  return { query: `(${enforced.sql})`, relations: enforced.relations };
}

/**
 * The text with each name replaced where it stands. One place may be several times in a tree: what stands behind `(a, b) =` is there for
 * each of the columns.
 */
function spliced(sql: string, replacements: readonly Replacement[]): string {
  const starts = unitsOf(
    sql,
    replacements.map(({ location }) => location ?? 0),
  );
  const sorted = replacements
    .map(({ text, spanAt }, index) => ({ text, span: spanAt(sql, starts[index] ?? 0) }))
    .sort((a, b) => a.span.start - b.span.start);
  const parts: string[] = [];
  let at = 0;
  let last: (typeof sorted)[number] | undefined;
  for (const one of sorted) {
    if (last !== undefined && isSame(last, one)) continue;
    last = one;
    const { text, span } = one;
    parts.push(sql.slice(at, span.start), span.before, text);
    at = span.end;
  }
  return [...parts, sql.slice(at)].join('');
}

interface Spliced {
  readonly text: string;
  readonly span: TextSpan;
}

function isSame(one: Spliced, other: Spliced): boolean {
  return one.span.start === other.span.start && one.span.end === other.span.end && one.text === other.text;
}

/** What the parser makes of `(query) as alias` in `from`. */
function subselect(query: string, { alias, relname }: RangeVar): Tree {
  return {
    RangeSubselect: {
      subquery: parseStatement(query.slice(1, -1)),
      alias: alias ?? { aliasname: relname },
    },
  };
}
