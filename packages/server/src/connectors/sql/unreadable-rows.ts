import type { Compiled, CompiledCollection } from './compiled.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** How many rows have something else than JSON where people are to be found in JSON, for the evidence: one sentence for each such column. */
export async function unreadableRows(
  transaction: SqlTransaction,
  compiled: Compiled,
): Promise<readonly string[]> {
  const sentences: string[] = [];
  for (const collection of compiled.collections.values()) {
    for (const [column, condition] of conditionsOf(collection)) {
      const [row] = await transaction.rows(
        `select ${collection.dialect.text('count(*)')} from ${collection.table} t where ${condition}`,
      );
      const count = Number(row?.[0] ?? 0);
      if (count === 0) continue;
      const rows = count === 1 ? '1 row' : `${count} rows`;
      sentences.push(
        `${rows} of ${collection.name} ${count === 1 ? 'has' : 'have'} something else than JSON in ${column}: nobody could be looked for there. Correct ${count === 1 ? 'it' : 'them'}, and ask again.`,
      );
    }
  }
  return sentences;
}

function conditionsOf({ roots }: CompiledCollection): ReadonlyMap<string, string> {
  return new Map(
    roots.flatMap(({ live }) => {
      const isUnreadable = live.element?.isUnreadable;
      if (isUnreadable === undefined) return [];
      return [[live.name, isUnreadable(`t.${quoteIdentifier(live.name)}`)]];
    }),
  );
}
