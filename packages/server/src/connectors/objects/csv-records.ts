import { HabeasError } from '../../foundation/index.ts';

const QUOTE = 34;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const MOST_RECORD_BYTES = 64 << 20;

/** One record of a CSV file (RFC 4180), as the bytes that it is. */
export interface CsvRecord {
  /** Where it begins in the file. */
  readonly at: number;
  /** With its line ending. */
  readonly bytes: Buffer;
  /** Where each cell begins and ends in the bytes, with its quotes. */
  readonly cells: readonly number[];
}

/**
 * The records of a CSV file, in order; a line without anything in it is none. Quotes within a cell that is not quoted are letters like any
 * other. Throws SYSTEM_FAILED, with the place, for a quoted cell that goes on behind its quotes or never ends, and for one record of
 * more than 64 MiB.
 */
export async function* csvRecords(
  parts: AsyncIterable<Buffer>,
  delimiter: number,
): AsyncGenerator<CsvRecord> {
  let rest = Buffer.alloc(0);
  let at = 0;
  for await (const part of parts) {
    const bytes = rest.length === 0 ? part : Buffer.concat([rest, part]);
    let from = 0;
    // An end of a record needs a line feed, so that without one nothing is tried.
    if (part.includes(LINE_FEED)) {
      for (;;) {
        const record = recordIn(bytes, { from, at: at + from, delimiter, isLast: false });
        if (record === undefined) break;
        from += record.bytes.length;
        if (!isEmpty(record)) yield record;
      }
    }
    rest = Buffer.from(bytes.subarray(from));
    at += from;
    if (rest.length > MOST_RECORD_BYTES) throw broken(at, 'is longer than 64 MiB; a quote may be missing');
  }
  for (let from = 0; from < rest.length; ) {
    const record = recordIn(rest, { from, at: at + from, delimiter, isLast: true });
    if (record === undefined) return;
    from += record.bytes.length;
    if (!isEmpty(record)) yield record;
  }
}

interface Place {
  readonly from: number;
  /** Of `from` in the file. */
  readonly at: number;
  readonly delimiter: number;
  /** Nothing comes behind the bytes. */
  readonly isLast: boolean;
}

/** The record that begins at `from`; undefined: its end is not in the bytes. */
function recordIn(bytes: Buffer, { from, at, delimiter, isLast }: Place): CsvRecord | undefined {
  const cells: number[] = [];
  let next = from;
  for (;;) {
    const start = next;
    if (bytes[next] === QUOTE) {
      next = quotedEnd(bytes, next);
      // A quote at the very end may be half of an escaped one.
      if (next < 0 || (next >= bytes.length && !isLast)) {
        if (next < 0 && isLast) throw broken(at, 'has a quoted cell that never ends');
        return undefined;
      }
    } else while (next < bytes.length && bytes[next] !== delimiter && bytes[next] !== LINE_FEED) next += 1;
    const byte = bytes[next];
    if (byte === undefined && !isLast) return undefined;
    if (byte === delimiter) {
      cells.push(start - from, next - from);
      next += 1;
      continue;
    }
    const isQuoted = bytes[start] === QUOTE;
    if (byte === LINE_FEED || byte === undefined) {
      const hasReturn = !isQuoted && next > start && bytes[next - 1] === CARRIAGE_RETURN;
      cells.push(start - from, next - from - (hasReturn ? 1 : 0));
      return { at, bytes: bytes.subarray(from, byte === undefined ? next : next + 1), cells };
    }
    if (
      byte === CARRIAGE_RETURN &&
      (bytes[next + 1] === LINE_FEED || (isLast && next + 1 === bytes.length))
    ) {
      cells.push(start - from, next - from);
      return { at, bytes: bytes.subarray(from, Math.min(next + 2, bytes.length)), cells };
    }
    if (byte === CARRIAGE_RETURN && next + 1 === bytes.length) return undefined;
    throw broken(at, 'has a quoted cell that goes on behind its quotes');
  }
}

/** Behind the closing quote; -1: it is not in the bytes. */
function quotedEnd(bytes: Buffer, from: number): number {
  for (let at = from + 1; ; at += 2) {
    at = bytes.indexOf(QUOTE, at);
    if (at < 0) return -1;
    if (bytes[at + 1] !== QUOTE) return at + 1;
  }
}

function isEmpty({ cells }: CsvRecord): boolean {
  return cells.length === 2 && cells[0] === cells[1];
}

/** What a cell says. */
export function cellText({ bytes, cells }: CsvRecord, column: number): string {
  const text = bytes.toString('utf8', cells[2 * column], cells[2 * column + 1]);
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

export function broken(at: number, what: string): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    `The record that begins at byte ${at} of a CSV object ${what}; the object was left as it is. Correct it, or say in the dataset how it is written.`,
  );
}
