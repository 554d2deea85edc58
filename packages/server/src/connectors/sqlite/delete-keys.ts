import type { StatementSync } from 'node:sqlite';
import type { KeyedTable } from '../sql/index.ts';
import {
  boundKey,
  endOfRun,
  groupsOf,
  isListed,
  jsonOf,
  listOfKeys,
  parameterOf,
  parseKeys,
} from './stored-keys.ts';

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
  return groups?.flatMap(({ firsts, middle, from: first, to }) => {
    const others = [...middle, first, ...(first === to ? [] : [to])];
    const behind = others.map(boundKey);
    const text = (start: string) => deletion(from, start, others.map(parameterOf));
    if (firsts.length >= FEWEST_LISTED && firsts.every(isListed))
      return [{ text: text(`in ${listOfKeys(firsts)}`), rows: [[jsonOf(firsts), ...behind]] }];
    return [...Map.groupBy(firsts, parameterOf)].map(([parameter, same]) => ({
      text: text(`= ${parameter}`),
      rows: same.map((value) => [boundKey(value), ...behind]),
    }));
  });
}

/** Deletes the rows with these keys one after the other, a range at a time, and counts them. A hundred thousand times: nothing is made here that is not needed. */
export function deleteEach(
  prepared: (text: string) => StatementSync,
  from: KeyedTable,
  keys: readonly string[],
): number {
  const parts = keys.map(parseKeys);
  const last = parts.length - 1;
  const textOf = (row: number, isOne: boolean) => {
    const parameters = parts.map((values) => parameterOf(values[row] ?? null));
    return deletion(from, `= ${parameters[0]}`, [...parameters.slice(1), ...(isOne ? [] : ['?'])]);
  };
  // All keys have one text, but for those with a text that is none in Unicode.
  const isMixed = keys.some((array) => array.includes('"x'));
  const [one, run] = [prepared(textOf(0, true)), prepared(textOf(0, false))];
  const count = parts[0]?.length ?? 0;
  const values: SqliteValue[] = keys.map(() => null);
  let changes = 0;
  for (let row = 0; row < count; ) {
    for (let part = 0; part <= last; part += 1) values[part] = boundKey(parts[part]?.[row] ?? null);
    const end = endOfRun(parts, row);
    const isOne = end === row;
    const statement = isMixed ? prepared(textOf(row, isOne)) : isOne ? one : run;
    const { changes: deleted } = isOne
      ? statement.run(...values)
      : statement.run(...values, boundKey(parts[last]?.[end] ?? null));
    changes += Number(deleted);
    row = end + 1;
  }
  return changes;
}

/**
 * @param others the parameters of the middle parts, and of the last one; or of the first and the last of a run of that
 */
function deletion({ table, key }: KeyedTable, first: string, others: readonly string[]): string {
  const last = key.at(-1);
  const middle = key.slice(1, -1);
  const [from, to] = others.slice(middle.length);
  const conditions = [
    `${key[0]} ${first}`,
    ...middle.map((part, at) => `${part} = ${others[at]}`),
    // Between two whole numbers a column may have what is none.
    to === undefined
      ? `${last} = ${from}`
      : `${last} >= ${from} and ${last} <= ${to} and ${last} = cast(${last} as integer)`,
  ];
  return `delete from ${table} as t where ${conditions.join(' and ')}`;
}
