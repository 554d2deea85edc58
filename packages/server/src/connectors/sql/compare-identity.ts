import type { Comparison, SoughtValues } from './comparison.ts';
import type { CompiledCollection, CompiledRoot } from './compiled.ts';
import type { LiveColumn, LiveElement } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';
import { spellable, spelledSql } from './spelling.ts';
import type { SqlDialect } from './sql-dialect.ts';

/** Whether a row, that a statement calls `alias`, has one of some identity values. */
export interface RowComparison {
  readonly sql: (alias: string) => string;
  /** Its parameters, from `$1` on. */
  readonly values: readonly unknown[];
}

/** Compares a field by which people are found with these values, in every way in which Unicode writes them. */
export function compareIdentity(
  { dialect }: CompiledCollection,
  { live, identity }: CompiledRoot,
  values: readonly string[],
): RowComparison | undefined {
  const { match, spelling } = identity;
  const given = spelling === undefined ? values : spellable(values, spelling);
  const options = {
    values: [...new Set(given.flatMap((value) => [value, ...otherForms(value)]))],
    match,
    spelled: spelledSql(dialect, spelling),
  };
  const comparison =
    live.element === undefined
      ? dialect.compareWithValues({ column: live, ...options })
      : compareElements(dialect, live.element, options);
  return comparison && { values: comparison.values, sql: (alias) => comparison.sql(columnAt(live, alias)) };
}

/** Whether one of the elements is one of the values. */
function compareElements(
  dialect: SqlDialect,
  element: LiveElement,
  sought: SoughtValues,
): Comparison | undefined {
  const { column, hasten } = element;
  const inner = dialect.compareWithValues({ column, ...sought });
  if (inner === undefined) return undefined;
  const usual: Comparison = {
    values: inner.values,
    sql: (at) => hasElement(element, at, inner.sql),
  };
  return hasten?.(sought, usual) ?? usual;
}

/** Whether the row holds an identity at all. */
export function isIdentified({ live }: CompiledRoot, alias: string): string {
  const at = columnAt(live, alias);
  const { element } = live;
  return element === undefined
    ? `${at} is not null`
    : hasElement(element, at, (value) => `${value} is not null`);
}

/** The one identity of a row as the store prints it; null where it has none, or several: those may name somebody else. */
export function onlyIdentity({ dialect }: CompiledCollection, { live }: CompiledRoot, alias: string): string {
  const at = columnAt(live, alias);
  const { element } = live;
  if (element === undefined) return dialect.print(live, at);
  const value = dialect.print(element.column, element.value('e'));
  return `(select case when count(distinct ${value}) = 1 then min(${value}) end from ${element.rows(at, 'e')})`;
}

/** Whether the field of the row `o` names whom the printed value `seen` names. */
export function namesTheSame(
  { dialect }: CompiledCollection,
  { live, identity }: CompiledRoot,
  seen: string,
): string {
  const spelled = spelledSql(dialect, identity.spelling);
  const same = (column: LiveColumn, at: string) =>
    spelled === undefined
      ? dialect.hasPrinted(column, at, seen)
      : `${spelled(dialect.print(column, at))} = ${spelled(seen)}`;
  const at = columnAt(live, 'o');
  const { element } = live;
  if (element === undefined) return same(live, at);
  return hasElement(element, at, (value) => same(element.column, value));
}

/** A value with its letters composed and decomposed (NFC, NFD), where that makes another text of it. */
export function otherForms(value: string): readonly string[] {
  return [value.normalize('NFC'), value.normalize('NFD')].filter((form) => form !== value);
}

/**
 * Whether one of the elements fits. Counted, because MySQL 9.7 makes a join of `exists` over a table that is made of a row, and then takes the
 * elements of one row for those of the others.
 */
function hasElement({ rows, value }: LiveElement, at: string, fits: (value: string) => string): string {
  return `(select count(*) from ${rows(at, 'e')} where ${fits(value('e'))}) > 0`;
}

function columnAt({ name }: LiveColumn, alias: string): string {
  return `${alias}.${quoteIdentifier(name)}`;
}
