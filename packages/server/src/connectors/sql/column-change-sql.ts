import type { ColumnChange } from './column-changes.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlDialect } from './sql-dialect.ts';

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
  options: { readonly before: number; readonly dialect: SqlDialect },
): { readonly parts: readonly ChangeSql[]; readonly values: readonly string[] } {
  const { dialect } = options;
  const values: string[] = [];
  const parameter = (value: string): string => {
    values.push(value);
    return `$${options.before + values.length}`;
  };
  const parts = changes.map((change): ChangeSql => {
    const column = quoteIdentifier(change.column.name);
    const now = `t.${column}`;
    if (change.kind === 'flag') return { change, column, ...flagSql(change, now, dialect) };
    // Compared as the column prints it: values that are equal and not the same, such as 1.0 and 1.00, are told apart.
    const text = (value: string) => dialect.text(parameter(value));
    const printed = dialect.print(change.column, now);
    const to = change.to === null ? undefined : text(change.to);
    const value = to === undefined ? 'null' : dialect.typed(to, change.column);
    const differs =
      to === undefined ? `${now} is not null` : `(${now} is null or not ${dialect.sameText(printed, to)})`;
    return {
      change,
      column,
      value,
      condition: `(${fromSql(change, { now, printed, dialect, text })} and ${differs})`,
    };
  });
  return { parts, values };
}

/** The columns, each with what it becomes: the first change that applies to the row. */
export function assignments(
  parts: readonly ChangeSql[],
): readonly (readonly [column: string, value: string])[] {
  const byColumn = Map.groupBy(parts, ({ column }) => column);
  return [...byColumn].map(([column, own]) => {
    const cases = own.map(({ condition, value }) => `when ${condition} then ${value}`).join(' ');
    return [column, `case ${cases} else t.${column} end`];
  });
}

function flagSql(
  change: Extract<ColumnChange, { kind: 'flag' }>,
  now: string,
  dialect: SqlDialect,
): Pick<ChangeSql, 'condition' | 'value'> {
  const isBoolean = change.column.category === 'B';
  if (change.effect === 'lift')
    return isBoolean
      ? { condition: `${now} is true`, value: change.lifted === null ? 'null' : 'false' }
      : { condition: `${now} is not null`, value: 'null' };
  return isBoolean
    ? { condition: `${now} is not true`, value: 'true' }
    : { condition: `${now} is null`, value: dialect.nowIn(change.column) };
}

function fromSql(
  { from, match }: Extract<ColumnChange, { kind: 'value' }>,
  options: {
    readonly now: string;
    readonly printed: string;
    readonly dialect: SqlDialect;
    readonly text: (value: string) => string;
  },
): string {
  const { now, printed, dialect, text } = options;
  if (from === undefined) return 'true';
  if (from === null) return `${now} is null`;
  return match === 'case-insensitive'
    ? dialect.sameText(dialect.foldCase(printed), dialect.foldCase(text(from)))
    : dialect.sameText(printed, text(from));
}
