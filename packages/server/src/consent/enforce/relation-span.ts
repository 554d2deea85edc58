import type { RangeVar } from './read-statement.ts';
import { refused } from './sql-tree.ts';

/** Where in a text a relation is named, in UTF-16 units, and what has to stand before what replaces the name. */
export interface RelationSpan {
  readonly start: number;
  readonly end: number;
  readonly before: string;
}

/** A name as SQL. */
export function identifierText(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const GAP = /(?:\s|--[^\n\r]*(?:[\n\r]|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*/y;
const NAME = /(?:[uU]&)?"(?:[^"]|"")*"|[\p{L}_\u{80}-\u{10ffff}][\p{L}\p{N}_$\u{80}-\u{10ffff}]*/uy;
const ESCAPE = /uescape(?:\s*)'[^']'/iy;
/** `table t` is short for `select * from t`. */
const TABLE = /(?<![\p{L}\p{N}_$"\u{80}-\u{10ffff}])table\s+$/iu;
const LONGEST_TABLE = 64;

/** The places of names whose first bytes the parser told. */
export function relationSpans(sql: string, nodes: readonly RangeVar[]): readonly RelationSpan[] {
  const starts = unitsOf(
    sql,
    nodes.map(({ location }) => location ?? 0),
  );
  return nodes.map((node, index) => spanOf(sql, starts[index] ?? 0, node));
}

function spanOf(sql: string, start: number, node: RangeVar): RelationSpan {
  const parts = [node.schemaname, node.relname].filter((part) => part !== undefined).length;
  let end = start;
  for (let part = 0; part < parts; part += 1) {
    if (part > 0) {
      const dot = after(GAP, sql, end);
      if (sql[dot] !== '.') throw refused(`The name of "${node.relname}" cannot be found in the text.`);
      end = after(GAP, sql, dot + 1);
    }
    const named = after(NAME, sql, end);
    end = /^u&"/i.test(sql.slice(end, end + 3)) ? escapeAfter(sql, named) : named;
  }
  const table = TABLE.exec(sql.slice(Math.max(0, start - LONGEST_TABLE), start));
  if (table === null) return { start, end, before: '' };
  return { start: start - table[0].length, end, before: 'select * from ' };
}

function escapeAfter(sql: string, end: number): number {
  const at = after(GAP, sql, end);
  const escaped = after(ESCAPE, sql, at);
  return escaped === at ? end : escaped;
}

/** Behind what the pattern matches there, or there. */
function after(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : at;
}

/** Places in bytes of UTF-8 as places in UTF-16 units, by one walk over the text. */
function unitsOf(sql: string, bytes: readonly number[]): readonly number[] {
  if (Buffer.byteLength(sql) === sql.length) return bytes;
  const sorted = bytes.toSorted((a, b) => a - b);
  const units = new Map<number, number>();
  let byte = 0;
  let unit = 0;
  for (const wanted of sorted) {
    while (byte < wanted && unit < sql.length) {
      const point = sql.codePointAt(unit) ?? 0;
      byte += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      unit += point < 0x10000 ? 1 : 2;
    }
    units.set(wanted, unit);
  }
  return bytes.map((place) => units.get(place) ?? 0);
}
