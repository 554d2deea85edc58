import type { ColumnChange } from './column-changes.ts';
import type { LiveColumn } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';

/** A change as SQL over a row that a statement calls `t`. */
export interface ChangeSql {
  readonly change: ColumnChange;
  readonly column: string;
  /** Whether the row is still to be changed. False for what is as it has to be, so that nothing is changed twice. */
  readonly condition: string;
  readonly value: string;
}

/** Writes changes as SQL; their values become parameters behind `before` others. */
export function changeSql(
  changes: readonly ColumnChange[],
  options: { readonly before: number; readonly now: Date },
): { readonly parts: readonly ChangeSql[]; readonly values: readonly string[] } {
  const values: string[] = [];
  const parameter = (value: string): string => {
    values.push(value);
    return `$${options.before + values.length}`;
  };
  const parts = changes.map((change): ChangeSql => {
    const column = quoteIdentifier(change.column.name);
    const now = `t.${column}`;
    if (change.kind === 'flag')
      return { change, column, ...flagSql(change, now, () => parameter(options.now.toISOString())) };
    // Compared as the column prints it: values that are equal and not the same, such as 1.0 and 1.00, are told apart.
    const typed = (text: string) => `(${parameter(text)}::text::${change.column.type})`;
    const value = change.to === null ? `null::${change.column.type}` : typed(change.to);
    const differs =
      change.to === null ? `${now} is not null` : `${now}::text is distinct from ${value}::text`;
    return { change, column, value, condition: `(${fromSql(change, now, typed)} and ${differs})` };
  });
  return { parts, values };
}

/** The columns, each with what it becomes: the first change that applies to the row. */
export function assignments(parts: readonly ChangeSql[]): string {
  const byColumn = Map.groupBy(parts, ({ column }) => column);
  return [...byColumn]
    .map(([column, own]) => {
      const cases = own.map(({ condition, value }) => `when ${condition} then ${value}`).join(' ');
      return `${column} = case ${cases} else t.${column} end`;
    })
    .join(', ');
}

/** A type in which any length and precision is kept, to see whether the column's own type loses something. */
export function widest(column: LiveColumn): string {
  if (column.baseType === 'character') return 'bpchar';
  return column.baseType === 'bit' ? 'bit varying' : column.baseType;
}

function flagSql(
  change: Extract<ColumnChange, { kind: 'flag' }>,
  now: string,
  time: () => string,
): Pick<ChangeSql, 'condition' | 'value'> {
  const isBoolean = change.column.category === 'B';
  if (change.effect === 'lift')
    return isBoolean
      ? { condition: `${now} is true`, value: change.lifted === null ? 'null' : 'false' }
      : { condition: `${now} is not null`, value: 'null' };
  return isBoolean
    ? { condition: `${now} is not true`, value: 'true' }
    : { condition: `${now} is null`, value: `${time()}::text::${change.column.type}` };
}

function fromSql(
  { from, match }: Extract<ColumnChange, { kind: 'value' }>,
  now: string,
  typed: (text: string) => string,
): string {
  if (from === undefined) return 'true';
  if (from === null) return `${now} is null`;
  return match === 'case-insensitive'
    ? `lower(${now}::text) = lower(${typed(from)}::text)`
    : `${now}::text = ${typed(from)}::text`;
}
