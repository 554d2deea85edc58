import type { Comparison, LiveColumn, ValuesToCompare } from '../sql/index.ts';
import { classOf, isTextClass } from './column-class.ts';
import type { Product } from './product.ts';
import { binaryText, fromStored, print } from './values.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^\\x([0-9a-f]{2})*$/i;
const INTEGER = /^(0|-?[1-9]\d{0,19})$/;
const DECIMAL = /^-?(0|[1-9]\d{0,30})(\.\d{1,25})?$/;
const IS_ASCII = /^[\x20-\x7e]*$/;

/**
 * Compares by the column's own type, so that its index is used. The server would compare a text with a number as numbers (`'7up' = 7`), and texts by
 * a collation to which `é` is `e`: what the column's collation finds is compared once more, letter by letter.
 */
export function compareWithValues(
  { column, values, match, spelled }: ValuesToCompare,
  product: Product,
): Comparison | undefined {
  // No text has half a character in it, and JSON with one would be refused.
  const candidates = values
    .filter((value) => value.isWellFormed())
    .flatMap((value) => candidatesOf(column, value));
  if (candidates.length === 0) return undefined;
  const given = [JSON.stringify(candidates)];
  const list = (made: (text: string) => string) =>
    `(select ${made('j.v')} from json_table($1, '$[*]' columns (v varchar(2800) ${binaryText(product)} path '$')) j)`;
  const own = (at: string) => `${at} in ${list((text) => fromStored(column, text))}`;
  if (!isTextClass(classOf(column)))
    return isPrinted(column)
      ? {
          values: given,
          sql: (at) => `${print(column, at)} in ${list((text) => text)}`,
        }
      : { values: given, sql: own };
  if (spelled !== undefined)
    return {
      values: given,
      sql: (at) => `${spelled(print(column, at))} in ${list(spelled)}`,
    };
  const fold = (text: string) => (match === 'case-insensitive' ? `lower(${text})` : text);
  const exactly = (at: string) => `${fold(print(column, at))} in ${list(fold)}`;
  // What a collation calls equal has all that differs in case alone, as long as it knows no case. What the column's letters cannot write
  // is an error to convert.
  const { charset = '', collation = '' } = column.letters ?? {};
  const isAscii = candidates.every((one) => IS_ASCII.test(one));
  const isNarrowed =
    match === 'exact' ? isAscii || charset === 'utf8mb4' : isAscii && collation.endsWith('_ci');
  return {
    values: given,
    sql: (at) => (isNarrowed ? `(${own(at)} and ${exactly(at)})` : exactly(at)),
  };
}

export function hasPrinted(column: LiveColumn, at: string, printed: string): string {
  const own = `${at} = ${fromStored(column, printed)}`;
  const same = `${print(column, at)} = ${printed}`;
  // Not every text is JSON.
  if (classOf(column) === 'json') return same;
  return isTextClass(classOf(column)) || classOf(column) === 'other' ? `(${own} and ${same})` : own;
}

/** Whether values are compared as people read them, because not every text is one of the type. */
function isPrinted(column: LiveColumn): boolean {
  return ['other', 'json'].includes(classOf(column));
}

/** What the column would hold for an identity value, as stored texts. */
function candidatesOf(column: LiveColumn, value: string): readonly string[] {
  switch (classOf(column)) {
    case 'integer':
      return isBetween(value, -(2n ** 63n), 2n ** 63n - 1n) ? [value] : [];
    case 'unsigned':
    case 'bit':
      return isBetween(value, 0n, 2n ** 64n - 1n) ? [value] : [];
    case 'decimal':
      return DECIMAL.test(value) ? [value] : [];
    case 'float':
    case 'double':
      return DECIMAL.test(value) ? [value] : [];
    case 'uuid':
      return UUID.test(value) ? [value] : [];
    case 'binary':
      return bytesOf(value);
    case 'time':
      return /^\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?)?$/.test(value) ? [value] : [];
    default:
      return [value];
  }
}

function isBetween(value: string, least: bigint, most: bigint): boolean {
  if (!INTEGER.test(value)) return false;
  const number = BigInt(value);
  return number >= least && number <= most;
}

/** A UUID in its bytes, bytes that are written as such, and the letters of a text. */
function bytesOf(value: string): readonly string[] {
  const letters = `\\x${Buffer.from(value, 'utf8').toString('hex')}`;
  if (UUID.test(value)) return [`\\x${value.replaceAll('-', '')}`, letters];
  return HEX.test(value) ? [value, letters] : [letters];
}
