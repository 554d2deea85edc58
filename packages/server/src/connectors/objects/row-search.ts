import type { Spelling } from '../../catalog/index.ts';
import { spelled } from '../spelling.ts';

/** A column by which rows are found. */
export interface RowColumn {
  /** Its name, or the members that lead into objects (structs). Lists on the way are looked through, element by element. */
  readonly path: readonly string[];
  /** `exact`: composed and decomposed letters (NFC) are the same. `case-insensitive`: upper and lower case are, too. */
  readonly match: 'exact' | 'case-insensitive';
  /** Goes before `match`. (Default: values are written in one way) */
  readonly spelling?: Spelling | undefined;
}

/** Values that name a person in a row that has all of them. */
export interface SoughtRow {
  /** Number of the person. */
  readonly who: number;
  /** The first is one that few rows have. */
  readonly all: readonly { readonly column: RowColumn; readonly value: string }[];
}

/** Finds out whose a row is, for many people at once. */
export interface RowSearch {
  /** The columns that have to be read, each once. */
  readonly columns: readonly RowColumn[];
  /**
   * What is looked for in the column of this number, as {@link textOf} gives it. A row that has none of these in any column is nobody's, so
   * a part of a file that cannot have any of them need not be read.
   */
  values(column: number): ReadonlySet<string>;
  /** The same as the request has them, before letters and cases were made the same. */
  written(column: number): ReadonlySet<string>;
  /** A value as it is compared in the column of this number; undefined for what names nobody: nothing, a list, an object. */
  textOf(column: number, value: unknown): string | undefined;
  /** Whose a row is, from the texts that it has in each of the columns: several where a column repeats. Empty: nobody's. */
  whose(row: readonly (readonly string[])[]): ReadonlySet<number>;
}

const NOBODY: ReadonlySet<number> = new Set();

interface CompiledRow {
  readonly who: number;
  /** What else the row has to have. */
  readonly more: readonly { readonly column: number; readonly text: string }[];
}

/** Compiles what is looked for. A falsy value (`0`, an empty text) is a value; a telephone number without digits is none. */
export function createRowSearch(sought: readonly SoughtRow[]): RowSearch {
  const columns: RowColumn[] = [];
  const numbers = new Map<string, number>();
  const values: Set<string>[] = [];
  const written: Set<string>[] = [];
  const byFirst: Map<string, CompiledRow[]>[] = [];
  const numberOf = (column: RowColumn): number => {
    const name = JSON.stringify([column.path, column.match, column.spelling]);
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = columns.push(column) - 1;
    numbers.set(name, number);
    values.push(new Set());
    written.push(new Set());
    byFirst.push(new Map());
    return number;
  };
  for (const { who, all } of sought) {
    const parts = all.flatMap(({ column, value }) => {
      const number = numberOf(column);
      const text = normalised(value, column);
      if (text === undefined) return [];
      values[number]?.add(text);
      written[number]?.add(value);
      return [{ column: number, text }];
    });
    const [first, ...more] = parts;
    if (first === undefined || parts.length < all.length) continue;
    const rows = byFirst[first.column]?.get(first.text) ?? [];
    rows.push({ who, more });
    byFirst[first.column]?.set(first.text, rows);
  }
  return {
    columns,
    values: (column) => values[column] ?? new Set(),
    written: (column) => written[column] ?? new Set(),
    textOf(column, value) {
      const text = plainText(value);
      return text === undefined ? undefined : normalised(text, columns[column]);
    },
    whose(row) {
      let found: Set<number> | undefined;
      for (const [number, texts] of row.entries()) {
        for (const text of texts) {
          for (const { who, more } of byFirst[number]?.get(text) ?? []) {
            if (!more.every((other) => row[other.column]?.includes(other.text) === true)) continue;
            found ??= new Set();
            found.add(who);
          }
        }
      }
      return found ?? NOBODY;
    },
  };
}

function plainText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return undefined;
  }
}

function normalised(text: string, column: RowColumn | undefined): string | undefined {
  const composed = text.normalize('NFC');
  if (column?.spelling !== undefined) return spelled(composed, column.spelling);
  return column?.match === 'case-insensitive' ? composed.toLowerCase() : composed;
}
