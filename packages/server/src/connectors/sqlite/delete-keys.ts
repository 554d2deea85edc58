import type { KeyedTable } from '../sql/index.ts';
import { boundKey, groupsOf, jsonOf, listOfKeys, parseKeys } from './stored-keys.ts';

/** A statement that is run once for each row of values, its `?`. */
export interface EachStatement {
  readonly text: string;
  readonly rows: readonly (readonly SqliteValue[])[];
}

export type SqliteValue = string | number | bigint | Uint8Array | null;

/** A list is made and read for as much as some rows cost that are looked for by a statement each. */
const FEWEST_LISTED = 8;

/**
 * What deletes the rows that have one of these keys of several parts. Keys with the same first part whose last parts follow each other, such as the lines of an
 * order, are a range; ranges that differ in their first part alone, such as the lines 1 to 4 of many orders, go together.
 *
 * @param keys for each part of the key a text of `stored-keys.ts`
 */
export function deletionsOf({ table, key }: KeyedTable, keys: readonly string[]): readonly EachStatement[] {
  const [first, ...rest] = key;
  const last = rest.pop();
  const rowsByText = new Map<string, (readonly SqliteValue[])[]>();
  const run = (conditions: readonly string[], row: readonly SqliteValue[]): void => {
    const text = `delete from ${table} as t where ${conditions.join(' and ')}`;
    const rows = rowsByText.get(text) ?? [];
    rowsByText.set(text, rows);
    rows.push(row);
  };
  for (const { firsts, middle, from, to } of groupsOf(keys.map(parseKeys))) {
    // Between two whole numbers a column may have what is none.
    const isLast =
      from === to ? [`${last} = ?`] : [`${last} >= ?`, `${last} <= ?`, `${last} = cast(${last} as integer)`];
    const others = [...rest.map((part) => `${part} = ?`), ...isLast];
    const values = [...middle, ...(from === to ? [from] : [from, to])].map(boundKey);
    if (firsts.length >= FEWEST_LISTED)
      run([`${first} in ${listOfKeys(firsts)}`, ...others], [jsonOf(firsts), ...values]);
    else for (const value of firsts) run([`${first} = ?`, ...others], [boundKey(value), ...values]);
  }
  return [...rowsByText].map(([text, rows]) => ({ text, rows }));
}
