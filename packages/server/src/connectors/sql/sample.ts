import { HabeasError } from '../../foundation/index.ts';
import type { LiveTable } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlDialect } from './sql-dialect.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** At most `limit` rows of a table or view as discovery names it, each value as the store prints it. Throws NOT_FOUND for another name. */
export async function* sampledRows(
  transaction: SqlTransaction,
  options: {
    readonly dialect: SqlDialect;
    readonly tables: ReadonlyMap<string, LiveTable>;
    readonly collection: string;
    readonly limit: number;
  },
): AsyncGenerator<Readonly<Record<string, string | null>>> {
  const { dialect } = options;
  const table = options.tables.get(options.collection);
  if (table === undefined) throw new HabeasError('NOT_FOUND', 'The database has no table of this name.');
  const names = [...table.columns.keys()];
  const columns = [...table.columns.values()].map((column) =>
    dialect.print(column, quoteIdentifier(column.name)),
  );
  const rows = await transaction.rows(
    `select ${columns.join(', ')} from ${dialect.tableOf(table)} limit ${Math.floor(options.limit)}`,
  );
  for (const values of rows)
    yield Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
}
