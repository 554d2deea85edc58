import { HabeasError } from '../../foundation/index.ts';
import { quoteIdentifier } from './quote.ts';
import { readTables } from './read-tables.ts';
import type { Transaction } from './transaction.ts';

/** At most `limit` rows of a table or view as discovery names it, each value as PostgreSQL prints it. Throws NOT_FOUND for another name. */
export async function* sampledRows(
  transaction: Transaction,
  collection: string,
  limit: number,
): AsyncGenerator<Readonly<Record<string, string | null>>> {
  const table = (await readTables(transaction)).get(collection);
  if (table === undefined) throw new HabeasError('NOT_FOUND', 'The database has no table of this name.');
  const names = table.shape.fields.map(({ name }) => name);
  const columns = names.map((name) => `${quoteIdentifier(name)}::text`).join(', ');
  const rows = await transaction.rows(
    `select ${columns} from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.table)} limit $1`,
    [limit],
  );
  for (const values of rows)
    yield Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
}
