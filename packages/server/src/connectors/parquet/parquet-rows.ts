import { HabeasError } from '../../foundation/index.ts';
import type { RandomAccess } from '../objects/row-format.ts';
import { readFooter } from './footer.ts';
import { readRows } from './read-rows.ts';
import { Refusal } from './refusals.ts';
import { RowSet } from './row-set.ts';

/** So many that a group is read few times, and so few that they are nothing beside the process. */
const AT_ONCE = 64_000;

/**
 * All rows of a Parquet file, in order, some ten thousand of them in memory: structs are objects, lists are arrays, maps are arrays of `{ key, value }`,
 * moments are ISO 8601. Throws BAD_INPUT for a file that is damaged, cut off, or none, and before the first row for one with more than `mostRows`.
 */
export async function* parquetRows(
  source: RandomAccess,
  {
    signal,
    mostRows = Number.POSITIVE_INFINITY,
  }: { readonly signal: AbortSignal; readonly mostRows?: number },
): AsyncGenerator<Readonly<Record<string, unknown>>, void, undefined> {
  try {
    const { rowGroups } = await readFooter(source);
    const count = rowGroups.reduce((sum, { rows }) => sum + rows, 0);
    if (count > mostRows)
      throw new HabeasError('BAD_INPUT', `The list has ${count} rows; send at most ${mostRows} at once.`);
    for (const group of rowGroups)
      for (let from = 0; from < group.rows; from += AT_ONCE) {
        const length = Math.min(AT_ONCE, group.rows - from);
        const rows = new RowSet(Array.from({ length }, (_, row) => from + row));
        yield* readRows(source, group, { rows, signal, atOnce: AT_ONCE });
      }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new HabeasError('BAD_INPUT', error.message, { cause: error.cause });
  }
}
