import { type RangeVar, type RelationRead, readStatement } from './read-statement.ts';
import type { Relation, RelationCatalog } from './relation-catalog.ts';
import { identifierText, relationSpans } from './relation-span.ts';
import { parseStatement, refused, sameTree, type Tree, tooDeep } from './sql-tree.ts';

export interface EnforcedSql {
  /** The same statement, each protected relation replaced by those of its rows that may be read. */
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

interface Replacement {
  readonly read: RelationRead;
  /** What replaces the name, without an alias. */
  readonly query: string;
}

function enforce(sql: string, catalog: RelationCatalog, depth: number): EnforcedSql {
  const tree = parseStatement(sql);
  const reads = readStatement(tree, catalog);
  const replacements: Replacement[] = [];
  const relations = new Map<string, Pick<Relation, 'schema' | 'name'>>();
  for (const read of reads) {
    const { relation, node } = read;
    if (relation.kind === 'open') continue;
    if (node.inh !== true && relation.kind === 'protected')
      throw refused(`"only ${relation.name}" would read a table without its partitions. Leave \`only\` out.`);
    const inner = queryOf(relation, catalog, depth);
    replacements.push({ read, query: inner.query });
    for (const found of inner.relations) relations.set(JSON.stringify([found.schema, found.name]), found);
  }
  if (replacements.length === 0) return { sql, relations: [] };
  const text = spliced(sql, replacements);
  for (const { read, query } of replacements) read.replace(subselect(query, read.node));
  if (!sameTree(parseStatement(text, Number.POSITIVE_INFINITY), tree)) {
    throw refused(
      'The statement names a protected table in a way that cannot be rewritten safely. Name it as `schema.table as alias` in `from`.',
    );
  }
  return { sql: text, relations: [...relations.values()] };
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
    replacements.map(({ read }) => read.node),
  );
  const sorted = replacements
    .map(({ read, query }, index) => ({
      node: read.node,
      query,
      span: spans[index] as (typeof spans)[number],
    }))
    .sort((a, b) => a.span.start - b.span.start);
  const parts: string[] = [];
  let at = 0;
  for (const { node, query, span } of sorted) {
    const alias = node.alias === undefined ? ` as ${identifierText(node.relname)}` : '';
    parts.push(sql.slice(at, span.start), span.before, query, alias);
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
