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
/** `table t` is short for `select * from t`. */
const TABLE = /(?<![\p{L}\p{N}_$"\u{80}-\u{10ffff}])table\s+$/iu;
const LONGEST_TABLE = 64;

/** The places of names whose first bytes the parser told. */
export function tableSpans(sql: string, nodes: readonly BaseTable[]): readonly TableSpan[] {
  const unitOf = unitsOf(
    sql,
    nodes.map(({ query_location }) => query_location),
  );
  return nodes.map((node) => {
    const start = unitOf.get(node.query_location);
    if (start === undefined)
      throw new SqlRefusedError(`The name of "${node.table_name}" cannot be found in the text.`);
    return spanOf(sql, start, node);
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

function spanOf(sql: string, start: number, node: BaseTable): TableSpan {
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
  const table = TABLE.exec(sql.slice(Math.max(0, start - LONGEST_TABLE), start));
  if (table === null) return { start, end, before: '' };
  return { start: start - table[0].length, end, before: 'select * from ' };
}

/** Behind what the pattern matches there, or there. */
function after(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : at;
}
