import { type Comparison, type LiveColumn, quoteIdentifier, type ValuesToCompare } from '../sql/index.ts';

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

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Compares without casting the column wherever its type allows, so that an index on it is used. */
export function compareWithValues(options: ValuesToCompare): Comparison | undefined {
  const { column, match, spelled } = options;
  // PostgreSQL has no text with NUL in it, so no row has either.
  const values = options.values.filter((value) => !value.includes('\0'));
  const at = (alias: string) => `${alias}.${quoteIdentifier(column.name)}`;
  const compared = (fitting: readonly string[], sql: Comparison['sql']): Comparison | undefined =>
    fitting.length === 0 ? undefined : { sql, values: [fitting] };
  if (isText(column)) {
    if (spelled !== undefined)
      return compared(
        values,
        (alias) => `${spelled(`${at(alias)}::text`)} in (select ${spelled('v')} from unnest($1::text[]) v)`,
      );
    if (
      column.baseType === 'character varying' ||
      column.baseType === 'text' ||
      column.baseType === 'character'
    ) {
      return match === 'case-insensitive'
        ? compared(
            values,
            (alias) => `lower(${at(alias)}::text) in (select lower(v) from unnest($1::text[]) v)`,
          )
        : compared(
            values,
            (alias) => `${at(alias)} = any($1::${column.baseType === 'character' ? 'bpchar' : 'text'}[])`,
          );
    }
    // Such as citext, which has its own idea of equality.
    return compared(values, (alias) => `${at(alias)} = any($1::text[]::${column.baseType}[])`);
  }
  if (INTEGERS.has(column.baseType)) {
    return compared(values.filter(isBigint), (alias) => `${at(alias)} = any($1::bigint[])`);
  }
  if (column.baseType === 'uuid') {
    return compared(
      values.filter((value) => UUID.test(value)),
      (alias) => `${at(alias)} = any($1::uuid[])`,
    );
  }
  return compared(values, (alias) => `${at(alias)}::text = any($1::text[])`);
}

const LARGEST_BIGINT = 2n ** 63n - 1n;

/** Only the way in which PostgreSQL prints a number: `007` is not the user 7. */
function isBigint(value: string): boolean {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(value)) return false;
  const number = BigInt(value);
  return number <= LARGEST_BIGINT && number >= -LARGEST_BIGINT - 1n;
}

function isText(column: LiveColumn): boolean {
  return column.category === 'S';
}
