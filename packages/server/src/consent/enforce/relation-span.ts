import type { RangeVar } from './read-statement.ts';
import { refused } from './sql-tree.ts';

/** A part of a text that is replaced, in UTF-16 units, and what has to stand before what replaces it. */
export interface TextSpan {
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
const TABLE = /(?<![\p{L}\p{N}_$"\u{80}-\u{10ffff}])table\s*$/iu;
const LONGEST_TABLE = 64;

/** @param isTable - whether it is named as `table t` */
export function relationSpan(sql: string, start: number, node: RangeVar, isTable: boolean): TextSpan {
  let end = start;
  if (node.schemaname !== undefined) end = afterDot(sql, afterName(sql, end), node.relname);
  end = afterName(sql, end);
  const table = isTable ? TABLE.exec(sql.slice(Math.max(0, start - LONGEST_TABLE), start)) : null;
  if (table === null) return { start, end, before: '' };
  return { start: start - table[0].length, end, before: 'select * from ' };
}

/** The schema of a column that is named with it, and the dot behind it. */
export function schemaSpan(sql: string, start: number, relname: string): TextSpan {
  return { start, end: afterDot(sql, afterName(sql, start), relname), before: '' };
}

function afterDot(sql: string, end: number, relname: string): number {
  const dot = after(GAP, sql, end);
  if (sql[dot] !== '.') throw refused(`The name of "${relname}" cannot be found in the text.`);
  return after(GAP, sql, dot + 1);
}

function afterName(sql: string, start: number): number {
  const end = after(NAME, sql, start);
  return /^u&"/i.test(sql.slice(start, start + 3)) ? escapeAfter(sql, end) : end;
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
export function unitsOf(sql: string, bytes: readonly number[]): readonly number[] {
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
