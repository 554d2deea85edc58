import type { Bench } from '../benchmark.ts';
import { onDatabase } from '../on-database.ts';
import { createShop } from '../one-shop.ts';
import { SHOP_TABLES } from '../shop-of-one.ts';

/** The rows of one table, all values as text. */
export interface TableRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

const SOURCE = 'shop_source';

/** The same rows as PostgreSQL has, in the same order, for other stores; parents before children. */
export async function rowsOfShop(bench: Bench, rows: number): Promise<readonly TableRows[]> {
  const server = await bench.postgres();
  await createShop(bench, { name: SOURCE, rows });
  return await onDatabase(server.superuserUrl(SOURCE), async (client) => {
    await client.query(`set timezone = 'UTC'`);
    const tables: TableRows[] = [];
    for (const table of SHOP_TABLES) {
      const { fields, rows: found } = await client.query<(string | null)[]>({
        text: `select * from ${table}`,
        rowMode: 'array',
        types: { getTypeParser: () => (value: unknown) => value },
      });
      tables.push({ table, columns: fields.map(({ name }) => name), rows: found.map(withoutZone) });
    }
    return tables;
  });
}

/** `2025-01-01 00:01:00+00` is not a time to every store; all are in UTC. */
function withoutZone(row: readonly (string | null)[]): readonly (string | null)[] {
  return row.map((value) => value?.replace(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\+00$/, '$1') ?? null);
}
