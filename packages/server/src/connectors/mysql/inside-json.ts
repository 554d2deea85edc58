import {
  type Comparison,
  type LiveColumn,
  type LiveElement,
  needlesOf,
  type SoughtValues,
} from '../sql/index.ts';
import { classOf } from './column-class.ts';
import { BINARY_COLLATION, type Product } from './product.ts';
import { binaryText, print, quoteLiteral } from './values.ts';

/** With each name, the ways through lists double. */
const MOST_NAMES = 5;

/** A text as `json_table` gives it. */
const TEXT = {
  name: 'v',
  type: 'longtext',
  baseType: 'longtext',
  category: 'S',
  notNull: false,
  length: null,
  generated: 'no',
} as const;

/**
 * The values at a path inside a column of JSON. A path says itself where it goes through a list, so that each way is a path of its own;
 * names that stand twice are followed both.
 *
 *     phones.number    $."phones"."number"   $."phones"[*]."number"   $."phones"."number"[*]   …, and each behind $[*]
 */
export function insideJson(
  column: LiveColumn,
  path: readonly string[],
  product: Product,
): LiveElement | undefined {
  const isText = classOf(column) === 'text';
  const isReachable = path.length <= MOST_NAMES && path.every((name) => !/["\\*]/.test(name));
  if (!isReachable || (!isText && column.isJson !== true)) return undefined;
  let ways = ['$', '$[*]'];
  for (const name of path) ways = ways.flatMap((way) => [`${way}."${name}"`, `${way}."${name}"[*]`]);
  const paths = ways.map(quoteLiteral).join(', ');
  return {
    column: { ...TEXT, letters: { charset: 'utf8mb4', collation: BINARY_COLLATION[product] } },
    rows: (at, alias) =>
      `json_table(json_extract(case when json_valid(${at}) then ${at} end, ${paths}), '$[*]'
         columns (v longtext ${binaryText(product)} path '$', j json path '$')) ${alias}`,
    // What is no single value has no text.
    value: (alias) =>
      `(case when ${alias}.j regexp '^-?[0-9]+[.][0-9]*0$' then trim(trailing '.' from trim(trailing '0' from ${alias}.v)) else ${alias}.v end)`,
    hasten: (sought, usual) => passOver(column, sought, usual),
    isUnreadable: column.isJson === true ? undefined : (at) => `json_valid(${at}) = 0`,
  };
}

/** Reads a text as JSON only where one of the values stands in it, or a backslash, behind which it may be written in another way: a tenth of the time. */
function passOver(column: LiveColumn, sought: SoughtValues, usual: Comparison): Comparison | undefined {
  const needles = needlesOf(sought);
  if (needles === undefined) return undefined;
  const pattern = [
    '\\\\',
    ...needles.map((needle) => needle.replaceAll(/[\\^$.*+?()[\]{}|#&~-]/g, '\\$&')),
  ].join('|');
  const text = (at: string) => (sought.match === 'exact' ? print(column, at) : `lower(${print(column, at)})`);
  const parameter = `$${usual.values.length + 1}`;
  return {
    values: [...usual.values, pattern],
    sql: (at) => `(${text(at)} regexp ${parameter} and ${usual.sql(at)})`,
  };
}
