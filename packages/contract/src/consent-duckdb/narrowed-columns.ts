import type { DuckDbConnection } from './duckdb-tree.ts';
import { type BaseTable, folded } from './read-duckdb-statement.ts';
import { SqlRefusedError } from './sql-refused-error.ts';

/** The column that DuckDB gives each table, and no rows that are narrowed. */
const ROW_NUMBER = 'rowid';

/** A table whose rows are narrowed where a statement names it. */
interface NarrowedRead {
  readonly read: { readonly node: BaseTable };
  readonly table: { readonly schema: string; readonly name: string };
}

/** Throws {@link SqlRefusedError} for a column that is none of the narrowed rows by the name it has: DuckDB would not know it, or take that of another table. */
export async function requireSameColumns(
  connection: DuckDbConnection,
  columns: readonly (readonly string[])[],
  narrowed: readonly NarrowedRead[],
): Promise<void> {
  if (narrowed.length === 0) return;
  const whole = new Set(narrowed.map(({ table }) => keyOf(table.schema, table.name)));
  for (const names of columns) {
    const at = names.findIndex((name, index) => index > 0 && whole.has(keyOf(names[index - 1], name)));
    if (at < 0 || at === names.length - 1) continue;
    const shown = names.slice(at).map(written).join('.');
    throw new SqlRefusedError(
      `"${names.join('.')}" is named with the schema of a table that is narrowed. Write ${shown}, or give the table an alias.`,
    );
  }
  const numbers = columns.filter((names) => folded(names.at(-1) ?? '') === ROW_NUMBER && names.length <= 2);
  if (numbers.length === 0) return;
  const without = await withoutColumn(connection, narrowed);
  for (const [first = '', second] of numbers) {
    if (second === undefined && without.length > 0)
      throw new SqlRefusedError(
        `"${ROW_NUMBER}" is of no table that is narrowed, and could be that of another one. Write whose it is, such as t.${ROW_NUMBER}.`,
      );
    if (second !== undefined && without.some(({ node }) => folded(shownName(node)) === folded(first)))
      throw new SqlRefusedError(
        `"${first}.${ROW_NUMBER}" is not there, because the rows of "${first}" are narrowed. Use another column, or another alias for a table that is not narrowed.`,
      );
  }
}

/** Those of them whose table has no column of its own by that name. */
async function withoutColumn(
  connection: DuckDbConnection,
  narrowed: readonly NarrowedRead[],
): Promise<readonly NarrowedRead['read'][]> {
  const found = await connection.runAndReadAll(
    `select schema_name, table_name from duckdb_columns() where database_name in (current_database(), 'temp') and lower(column_name) = '${ROW_NUMBER}'`,
  );
  const having = new Set(found.getRowsJson().map(([schema, table]) => keyOf(String(schema), String(table))));
  return narrowed.flatMap(({ read, table }) => (having.has(keyOf(table.schema, table.name)) ? [] : [read]));
}

function shownName({ alias, table_name: name }: BaseTable): string {
  return alias === '' ? name : alias;
}

function keyOf(schema: string | undefined, name: string): string {
  return JSON.stringify([folded(schema ?? ''), folded(name)]);
}

function written(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
