import { type RangeVar, type RelationRead, readStatement } from './read-statement.ts';
import type { Relation, RelationCatalog } from './relation-catalog.ts';
import { identifierText, relationSpans } from './relation-span.ts';
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
  readonly node: RangeVar;
  /** What replaces the name. */
  readonly text: string;
  /** Does to the tree what is done to the text. */
  readonly intend: () => void;
}

function enforce(sql: string, catalog: RelationCatalog, depth: number): EnforcedSql {
  const tree = parseStatement(sql);
  const reads = readStatement(tree, catalog);
  const replacements: Replacement[] = [];
  const relations = new Map<string, Pick<Relation, 'schema' | 'name'>>();
  for (const read of reads) {
    const { relation, node } = read;
    if (relation.kind === 'open' || read.isWritten) {
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
function qualified({ relation: { schema, name }, node }: RelationRead): Replacement {
  const text = `${identifierText(schema)}.${identifierText(name)}`;
  return { node, text, intend: () => Object.assign(node, { schemaname: schema }) };
}

/** @param query - in brackets, without an alias */
function narrowed({ node, replace }: RelationRead, query: string): Replacement {
  const alias = node.alias === undefined ? ` as ${identifierText(node.relname)}` : '';
  return { node, text: `${query}${alias}`, intend: () => replace(subselect(query, node)) };
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

/** The text with each name replaced where it stands, from the last to the first. */
function spliced(sql: string, replacements: readonly Replacement[]): string {
  const spans = relationSpans(
    sql,
    replacements.map(({ node }) => node),
  );
  const sorted = replacements
    .map(({ text }, index) => ({ text, span: spans[index] as (typeof spans)[number] }))
    .sort((a, b) => a.span.start - b.span.start);
  const parts: string[] = [];
  let at = 0;
  for (const { text, span } of sorted) {
    parts.push(sql.slice(at, span.start), span.before, text);
    at = span.end;
  }
  return [...parts, sql.slice(at)].join('');
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
