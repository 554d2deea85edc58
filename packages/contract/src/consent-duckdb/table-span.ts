import type { BaseTable } from './read-duckdb-statement.ts';
import { SqlRefusedError } from './sql-refused-error.ts';

/** Where in a text a table is named, in UTF-16 units, and what has to stand before what replaces the name. */
export interface TableSpan {
  readonly start: number;
  readonly end: number;
  readonly before: string;
}

const GAP = /(?:\s|--[^\n\r]*(?:[\n\r]|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*/y;
const NAME = /"(?:[^"]|"")*"|[\p{L}_\u{80}-\u{10ffff}][\p{L}\p{N}_$\u{80}-\u{10ffff}]*/uy;
const LETTER = String.raw`(?!\s)[\p{L}_\u{80}-\u{10ffff}]`;
const LETTER_OR_DIGIT = String.raw`(?!\s)[\p{L}\p{N}_\u{80}-\u{10ffff}]`;
/** Each part of a statement but a comment over several lines: what stands between words, a text, a word, a quoted name, any other character. */
const PART = new RegExp(
  [
    String.raw`(?<gap>\s+|--[^\n\r]*)`,
    String.raw`[eE]'(?:[^'\\]|\\.|'')*'`,
    `'[^']*'`,
    `"[^"]*"`,
    String.raw`\$(?<tag>${LETTER}(?:${LETTER_OR_DIGIT})*)?\$.*?\$\k<tag>\$`,
    String.raw`${LETTER_OR_DIGIT}(?:\$|${LETTER_OR_DIGIT})*`,
    '.',
  ].join('|'),
  'suy',
);
/** `table t` is short for `select * from t`. */
const TABLE = /^table$/i;

/** The places of names whose first bytes the parser told. */
export function tableSpans(sql: string, nodes: readonly BaseTable[]): readonly TableSpan[] {
  const unitOf = unitsOf(
    sql,
    nodes.map(({ query_location }) => query_location),
  );
  const tables = tableWords(sql, new Set(unitOf.values()));
  return nodes.map((node) => {
    const start = unitOf.get(node.query_location);
    if (start === undefined)
      throw new SqlRefusedError(`The name of "${node.table_name}" cannot be found in the text.`);
    return spanOf(sql, { start, table: tables.get(start) }, node);
  });
}

/** Places in bytes of UTF-8 as places in UTF-16 units, by one walk over the text. What is no place in it is not there. */
function unitsOf(sql: string, places: readonly number[]): ReadonlyMap<number, number> {
  const units = new Map<number, number>();
  let byte = 0;
  let unit = 0;
  for (const wanted of places.toSorted((one, other) => one - other)) {
    while (byte < wanted && unit < sql.length) {
      const point = sql.codePointAt(unit) ?? 0;
      byte += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      unit += point < 0x10000 ? 1 : 2;
    }
    if (byte === wanted) units.set(wanted, unit);
  }
  return units;
}

/** Of the places before which the word `table` stands: where that begins. */
function tableWords(sql: string, places: ReadonlySet<number>): ReadonlyMap<number, number> {
  const words = new Map<number, number>();
  let word: number | undefined;
  for (let at = 0; at < sql.length; ) {
    if (word !== undefined && places.has(at)) words.set(at, word);
    const comment = sql.startsWith('/*', at) ? afterComment(sql, at) : at;
    PART.lastIndex = at;
    const found = comment > at ? null : PART.exec(sql);
    if (found !== null && found.groups?.gap === undefined) word = TABLE.test(found[0]) ? at : undefined;
    at = found === null ? Math.max(comment, at + 1) : PART.lastIndex;
  }
  return words;
}

/** Comments of this kind may be within one another. */
function afterComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

function spanOf(
  sql: string,
  { start, table }: { readonly start: number; readonly table: number | undefined },
  node: BaseTable,
): TableSpan {
  const parts = [node.catalog_name, node.schema_name, node.table_name].filter((part) => part !== '').length;
  let end = start;
  for (let part = 0; part < parts; part += 1) {
    if (part > 0) {
      const dot = after(GAP, sql, end);
      if (sql[dot] !== '.')
        throw new SqlRefusedError(`The name of "${node.table_name}" cannot be found in the text.`);
      end = after(GAP, sql, dot + 1);
    }
    end = after(NAME, sql, end);
  }
  if (table === undefined) return { start, end, before: '' };
  return { start: table, end, before: 'select * from ' };
}

/** Behind what the pattern matches there, or there. */
function after(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : at;
}
