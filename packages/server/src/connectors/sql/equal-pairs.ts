import type { LiveColumn } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlDialect } from './sql-dialect.ts';

/** `b.x = a.y and b.v = a.w`: all pairs of a reference, joined with AND. */
export function equalPairs(
  dialect: SqlDialect,
  a: readonly LiveColumn[],
  b: readonly LiveColumn[],
): (aliasA: string, aliasB: string) => string {
  const pairs = a.map((left, index) => {
    const right = b[index] as LiveColumn;
    return { left, right, equal: dialect.equal(left, right) };
  });
  return (aliasA, aliasB) =>
    pairs
      .map(({ left, right, equal }) =>
        equal(`${aliasA}.${quoteIdentifier(left.name)}`, `${aliasB}.${quoteIdentifier(right.name)}`),
      )
      .join(' and ');
}
