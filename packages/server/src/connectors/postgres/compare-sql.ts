import type { LiveColumn } from './live-table.ts';
import { isText } from './mask-sql.ts';
import { quoteIdentifier } from './quote.ts';

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
function hasEquality(column: LiveColumn): boolean {
  return !['json', 'xml', 'point', 'polygon', 'line'].includes(column.baseType);
}

/** `b.x = a.y and b.v = a.w`: all pairs of a reference, joined with AND. */
export function equalPairs(
  a: readonly LiveColumn[],
  b: readonly LiveColumn[],
): (aliasA: string, aliasB: string) => string {
  return (aliasA, aliasB) =>
    a
      .map((left, index) => {
        const right = b[index] as LiveColumn;
        const cast = isComparable(left, right) && hasEquality(left) && hasEquality(right) ? '' : '::text';
        return `${aliasB}.${quoteIdentifier(right.name)}${cast} = ${aliasA}.${quoteIdentifier(left.name)}${cast}`;
      })
      .join(' and ');
}

/** A comparison of a column with given identity values, or undefined when none of the values can be in such a column. */
export interface Comparison {
  readonly sql: (alias: string, parameter: string) => string;
  readonly values: readonly string[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Compares without casting the column wherever its type allows, so that an index on it is used. */
export function compareWithValues(options: {
  readonly column: LiveColumn;
  readonly values: readonly string[];
  readonly match: 'exact' | 'case-insensitive';
}): Comparison | undefined {
  const { column, match } = options;
  // PostgreSQL has no text with NUL in it, so no row has either.
  const values = options.values.filter((value) => !value.includes('\0'));
  const at = (alias: string) => `${alias}.${quoteIdentifier(column.name)}`;
  const compared = (fitting: readonly string[], sql: Comparison['sql']): Comparison | undefined =>
    fitting.length === 0 ? undefined : { sql, values: fitting };
  if (isText(column)) {
    if (
      column.baseType === 'character varying' ||
      column.baseType === 'text' ||
      column.baseType === 'character'
    ) {
      return match === 'case-insensitive'
        ? compared(
            values,
            (alias, p) => `lower(${at(alias)}::text) in (select lower(v) from unnest(${p}::text[]) v)`,
          )
        : compared(
            values,
            (alias, p) =>
              `${at(alias)} = any(${p}::${column.baseType === 'character' ? 'bpchar' : 'text'}[])`,
          );
    }
    // Such as citext, which has its own idea of equality.
    return compared(values, (alias, p) => `${at(alias)} = any(${p}::text[]::${column.baseType}[])`);
  }
  if (INTEGERS.has(column.baseType)) {
    return compared(values.filter(isBigint), (alias, p) => `${at(alias)} = any(${p}::bigint[])`);
  }
  if (column.baseType === 'uuid') {
    return compared(
      values.filter((value) => UUID.test(value)),
      (alias, p) => `${at(alias)} = any(${p}::uuid[])`,
    );
  }
  return compared(values, (alias, p) => `${at(alias)}::text = any(${p}::text[])`);
}

const LARGEST_BIGINT = 2n ** 63n - 1n;

/** Only the way in which PostgreSQL prints a number: `007` is not the user 7. */
function isBigint(value: string): boolean {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(value)) return false;
  const number = BigInt(value);
  return number <= LARGEST_BIGINT && number >= -LARGEST_BIGINT - 1n;
}
