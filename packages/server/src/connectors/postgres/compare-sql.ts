import { isIP } from 'node:net';
import type { Comparison, LiveColumn, ValuesToCompare } from '../sql/index.ts';

const INTEGERS: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint']);

/** Whether two columns can be compared as they are; otherwise both are compared as text. */
export function isComparable(a: LiveColumn, b: LiveColumn): boolean {
  return (
    a.baseType === b.baseType ||
    (INTEGERS.has(a.baseType) && INTEGERS.has(b.baseType)) ||
    (isText(a) && isText(b))
  );
}

/** Whether a type has an equality operator that PostgreSQL can use in joins. JSON and a few geometric types have none. */
export function hasEquality(column: LiveColumn): boolean {
  return !['json', 'xml', 'point', 'polygon', 'line'].includes(column.baseType);
}

/** Types whose values are compared as such with the values that fit them, so that `7` is `7.00` and an index is used. */
const BY_VALUE: Readonly<Record<string, (value: string) => readonly string[]>> = {
  smallint: bigintOf,
  integer: bigintOf,
  bigint: bigintOf,
  numeric: (value) => (DECIMAL.test(value) && value.length <= LONGEST_DECIMAL ? [value] : []),
  real: (value) => (isFloat(value, Math.fround) ? [value] : []),
  'double precision': (value) => (isFloat(value, Number) ? [value] : []),
  uuid: (value) => (UUID.test(value) ? [value] : []),
  bytea: bytesOf,
  inet: addressOf,
  cidr: addressOf,
  macaddr: (value) => (MAC.test(value) ? [value] : []),
};

/** Types of parameters that have room for more than the column. */
const WIDEST: Readonly<Record<string, string>> = { smallint: 'bigint', integer: 'bigint', cidr: 'inet' };

/** Compares without casting the column wherever its type allows, so that an index on it is used. */
export function compareWithValues(options: ValuesToCompare): Comparison | undefined {
  const { column } = options;
  const byValue = BY_VALUE[column.baseType];
  if (byValue === undefined) return compareTexts(options);
  const fitting = options.values.flatMap(byValue);
  if (fitting.length === 0) return undefined;
  const same = (at: string) => `${at} = any($1::${WIDEST[column.baseType] ?? column.baseType}[])`;
  const isFloat = column.baseType === 'real' || column.baseType === 'double precision';
  // A number that the type cannot hold is none of its numbers, though the nearest one is taken for it.
  const exactly = (at: string) => `${at}::text::numeric = any($1::numeric[])`;
  return {
    sql: isFloat ? (at) => `(${same(at)} and ${exactly(at)})` : same,
    values: [fitting],
  };
}

function compareTexts({ column, values: given, match, spelled }: ValuesToCompare): Comparison | undefined {
  // PostgreSQL has no text with NUL in it, so no row has either.
  const values = given.filter((value) => !value.includes('\0'));
  if (values.length === 0) return undefined;
  const compared = (sql: Comparison['sql']): Comparison => ({ sql, values: [values] });
  const { baseType } = column;
  const isEnum = column.category === 'E';
  if (!isText(column) && !isEnum) return compared((at) => `${at}::text = any($1::text[])`);
  if (spelled !== undefined)
    return compared(
      (at) => `${spelled(`${at}::text`)} in (select ${spelled('v')} from unnest($1::text[]) v)`,
    );
  const isPlain = ['character varying', 'text', 'character'].includes(baseType);
  if (match === 'case-insensitive' && (isPlain || isEnum))
    return compared((at) => `lower(${at}::text) in (select lower(v) from unnest($1::text[]) v)`);
  if (isEnum) return compared((at) => `${at}::text = any($1::text[])`);
  if (isPlain) return compared((at) => `${at} = any($1::${baseType === 'character' ? 'bpchar' : 'text'}[])`);
  // Such as citext, which has its own idea of equality.
  return compared((at) => `${at} = any($1::text[]::${baseType}[])`);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^\\x([0-9a-f]{2})*$/i;
const MAC = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;
const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?$/;
const FLOAT = /^-?(0|[1-9]\d*)(\.\d+)?(e[-+]?\d{1,3})?$/i;
/** PostgreSQL has 16,383 digits behind the point and more before it. */
const LONGEST_DECIMAL = 16_000;
const LARGEST_BIGINT = 2n ** 63n - 1n;

/** Only the way in which PostgreSQL prints a number: `007` is not the user 7. */
function bigintOf(value: string): readonly string[] {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(value)) return [];
  const number = BigInt(value);
  return number <= LARGEST_BIGINT && number >= -LARGEST_BIGINT - 1n ? [value] : [];
}

/** PostgreSQL refuses numbers that are too large for the type, and those that would become 0. */
function isFloat(value: string, round: (number: number) => number): boolean {
  if (!FLOAT.test(value) || value.length > LONGEST_DECIMAL) return false;
  const number = round(Number(value));
  return Number.isFinite(number) && (number !== 0 || !/[1-9]/.test(value.split(/e/i)[0] ?? ''));
}

/** As PostgreSQL writes bytes: a UUID in its bytes, bytes that are written as such, and the letters of a text. */
export function bytesOf(value: string): readonly string[] {
  const letters = `\\x${Buffer.from(value, 'utf8').toString('hex')}`;
  if (UUID.test(value)) return [`\\x${value.replaceAll('-', '')}`, letters];
  return HEX.test(value) ? [value, letters] : [letters];
}

/** An address, with a network's length or without one. */
function addressOf(value: string): readonly string[] {
  const [address = '', bits] = value.split(/\/(.*)/s);
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) return [];
  const isNetwork =
    bits === undefined || (/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
  return isNetwork ? [value] : [];
}

function isText(column: LiveColumn): boolean {
  return column.category === 'S';
}
