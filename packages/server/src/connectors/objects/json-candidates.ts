import { MultiSearch } from '../logs/multi-search.ts';
import type { RowSearch } from './row-search.ts';

export const LINE_FEED = 10;

/** A line that may be somebody's. */
export interface Candidate {
  readonly from: number;
  readonly to: number;
  /** It has one of the values for certain, not only an escape that may stand for it. */
  readonly isSure: boolean;
}

/** The lines that may be somebody's, from their bytes alone: most lines are never parsed. */
export type Candidates = (bytes: Buffer) => Iterable<Candidate>;

const MOST_SHORT_NEEDLES = 8;

export function candidatesFor(search: RowSearch): Candidates {
  const needles = [...new Set(search.columns.flatMap((_, column) => needlesOf(search, column)))];
  const numbers = [...new Set(search.columns.flatMap((_, column) => numbersOf(search, column)))];
  const isUseful =
    !needles.includes('') &&
    [...needles, ...numbers].filter(({ length }) => length < 4).length <= MOST_SHORT_NEEDLES;
  if (!isUseful) return allLines;
  // What is escaped may be anything.
  const written = new MultiSearch([...needles, '\\'].map((text) => Buffer.from(text)));
  const dialled = new MultiSearch(numbers.map((text) => Buffer.from(text)));
  return (bytes) => {
    const lines = new Map<number, Candidate>();
    const add = (from: number, isSure: boolean) => {
      const known = lines.get(from);
      if (known === undefined || (isSure && !known.isSure))
        lines.set(from, { from, to: known?.to ?? endOf(bytes, from), isSure });
    };
    written.search(bytes, (needle, place) => add(startOf(bytes, place), needle < needles.length));
    if (numbers.length > 0) for (const from of linesWithNumber(bytes, dialled)) add(from, true);
    return [...lines.values()].sort((one, other) => one.from - other.from);
  };
}

/** Texts of which one stands in each line that has one of the values of a column. Telephone numbers have none. */
function needlesOf(search: RowSearch, column: number): readonly string[] {
  const spelling = search.columns[column]?.spelling;
  if (spelling === 'telephone') return [];
  // What stands between the two parts of an address of mail may differ.
  if (spelling === 'mailbox')
    return [...search.values(column)].map((address) => longest(address.split(/(?=@)/).map(needleOf)));
  return [...search.written(column), ...search.values(column)].map(needleOf);
}

/** The digits of telephone numbers. */
function numbersOf(search: RowSearch, column: number): readonly string[] {
  if (search.columns[column]?.spelling !== 'telephone') return [];
  return [...search.values(column)].map((number) => needleOf(number.replace(/^\+/, '')));
}

/**
 * Bytes that stand in every line that has the value, whatever case, and whether its letters are composed or not: the longest part of it that
 * is plain ASCII. Empty: there are none.
 */
function needleOf(value: string): string {
  return value === '' ? '""' : longest(value.normalize('NFC').match(/[ !#-[\]-~]+/g) ?? []);
}

function longest(texts: readonly string[]): string {
  return texts.reduce((most, text) => (text.length > most.length ? text : most), '');
}

/** Where lines begin that have one of the numbers, whatever stands between its digits. */
function linesWithNumber(bytes: Buffer, numbers: MultiSearch): readonly number[] {
  const dense = withoutBetween(bytes);
  const starts = new Set<number>();
  numbers.search(dense, (_, place) => starts.add(startOf(dense, place)));
  const found: number[] = [];
  // Both have the same lines.
  let [from, denseFrom] = [0, 0];
  for (const start of [...starts].sort((one, other) => one - other)) {
    for (; denseFrom < start; from = endOf(bytes, from)) denseFrom = endOf(dense, denseFrom);
    found.push(from);
  }
  return found;
}

const [OPEN, ZERO, CLOSE] = [0x28, 0x30, 0x29];
/** 1 for each byte that stands between digits. */
const BETWEEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(' -./()'.includes(String.fromCharCode(byte))),
);

/** What is left without the characters of `BETWEEN_DIGITS`. */
function withoutBetween(bytes: Buffer): Buffer {
  const dense = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (BETWEEN[byte] === 0) dense[length++] = byte;
    else if (byte === OPEN && bytes[at + 1] === ZERO && bytes[at + 2] === CLOSE) at += 2;
  }
  return dense.subarray(0, length);
}

function* allLines(bytes: Buffer): Iterable<Candidate> {
  for (let from = 0; from < bytes.length; ) {
    const to = endOf(bytes, from);
    yield { from, to, isSure: false };
    from = to;
  }
}

const startOf = (bytes: Buffer, at: number) => (at === 0 ? 0 : bytes.lastIndexOf(LINE_FEED, at - 1) + 1);
const endOf = (bytes: Buffer, at: number) => bytes.indexOf(LINE_FEED, at) + 1 || bytes.length;
