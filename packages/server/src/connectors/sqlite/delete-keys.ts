import type { StatementSync } from 'node:sqlite';
import type { KeyedTable } from '../sql/index.ts';
import { boundKey, endOfRun, groupsOf, isListed, jsonOf, listOfKeys, parseKeys } from './stored-keys.ts';

/** A statement that is run once for each row of values, its `?`. */
export interface EachStatement {
  readonly text: string;
  readonly rows: readonly (readonly SqliteValue[])[];
}

export type SqliteValue = string | number | bigint | Uint8Array | null;

/** A list is made and read for as much as some rows cost that are looked for by a statement each. */
const FEWEST_LISTED = 8;
/** More groups have few keys each. */
const MOST_GROUPS = 200;

/**
 * What deletes the rows that have one of these keys of several parts. Keys with the same first part whose last parts follow each other, such as the lines of an
 * order, are a range; ranges that differ in their first part alone, such as the lines 1 to 4 of many orders, go together, in no order. Undefined where hardly any
 * do: then {@link deleteEach} is as fast.
 *
 * @param keys for each part of the key a text of `stored-keys.ts`
 */
export function deletionsByLists(
  from: KeyedTable,
  keys: readonly string[],
): readonly EachStatement[] | undefined {
  const parts = keys.map(parseKeys);
  const groups = groupsOf(parts, MOST_GROUPS);
  return groups?.map(({ firsts, middle, from: first, to }) => {
    const others = [...middle, first, ...(first === to ? [] : [to])].map(boundKey);
    const isLast = first === to ? 'one' : 'run';
    return firsts.length >= FEWEST_LISTED && firsts.every(isListed)
      ? { text: deletion(from, `in ${listOfKeys(firsts)}`, isLast), rows: [[jsonOf(firsts), ...others]] }
      : { text: deletion(from, '= ?', isLast), rows: firsts.map((value) => [boundKey(value), ...others]) };
  });
}

/** Deletes the rows with these keys one after the other, a range at a time, and counts them. A hundred thousand times: nothing is made here that is not needed. */
export function deleteEach(
  prepared: (text: string) => StatementSync,
  from: KeyedTable,
  keys: readonly string[],
): number {
  const each = prepared(deletion(from, '= ?', 'one'));
  const several = prepared(deletion(from, '= ?', 'run'));
  const parts = keys.map(parseKeys);
  const last = parts.length - 1;
  const count = parts[0]?.length ?? 0;
  const values: SqliteValue[] = keys.map(() => null);
  let changes = 0;
  for (let row = 0; row < count; ) {
    for (let part = 0; part <= last; part += 1) values[part] = boundKey(parts[part]?.[row] ?? null);
    const end = endOfRun(parts, row);
    const { changes: deleted } =
      end === row ? each.run(...values) : several.run(...values, boundKey(parts[last]?.[end] ?? null));
    changes += Number(deleted);
    row = end + 1;
  }
  return changes;
}

/** The values are those of the first part, of the middle ones, and of the last one, of a `run` the first and the last of that. */
function deletion({ table, key }: KeyedTable, first: string, isLast: 'one' | 'run'): string {
  const last = key.at(-1);
  const conditions = [
    `${key[0]} ${first}`,
    ...key.slice(1, -1).map((part) => `${part} = ?`),
    // Between two whole numbers a column may have what is none.
    isLast === 'one' ? `${last} = ?` : `${last} >= ? and ${last} <= ? and ${last} = cast(${last} as integer)`,
  ];
  return `delete from ${table} as t where ${conditions.join(' and ')}`;
}
