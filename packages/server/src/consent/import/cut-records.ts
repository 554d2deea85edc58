import { CsvError, parse } from 'csv-parse/sync';
import { quoteState, stepQuote } from '../../foundation/index.ts';

export interface CutRecords {
  readonly whole: readonly TextRecord[];
  /** Lines of rows that have a quote that is not closed. */
  readonly broken: readonly number[];
}

interface TextRecord {
  readonly text: string;
  /** In which it begins, from 0. */
  readonly line: number;
}

/** In bytes. No row is so large: a quote that is still open there is taken for one that nobody closed. */
const LARGEST_ROW = 64 * 1_024;
/** Of one UTF-16 unit. */
const MOST_BYTES = 3;
const LINE_FEED = 0x0a;

/** Whether a text, or a part of it, is no larger than a row can be: in bytes, as who sends pieces of a list cuts it. */
export function isOfRowSize(text: string, start = 0, end = text.length): boolean {
  return (
    (end - start) * MOST_BYTES <= LARGEST_ROW || Buffer.byteLength(text.slice(start, end)) <= LARGEST_ROW
  );
}

/**
 * Cuts comma-separated values into their rows; empty lines are none. Where a quote is not closed, or only some lines later by the quote of
 * another row, the line that has it is broken and what stands in the lines behind it are rows of their own: nothing is lost with it. So of
 * several lines only those are a row that make a right one.
 */
export function cutRecords(text: string, isRow: (cells: readonly string[]) => boolean): CutRecords {
  const whole: TextRecord[] = [];
  const broken: number[] = [];
  let line = 0;
  let quote = text.indexOf('"');
  for (let start = 0; start < text.length; ) {
    if (quote >= 0 && quote < start) quote = text.indexOf('"', start);
    const { end, lines, isWhole } = plainAt(text, start, quote) ?? recordAt(text, start);
    const record = text.slice(start, end);
    if (isWhole && (lines === 1 || isRow(strictCells(record)))) {
      if (record.trim() !== '') whole.push({ text: record, line });
      start = end;
      line += lines;
      continue;
    }
    broken.push(line);
    const next = text.indexOf('\n', start);
    start = next < 0 ? text.length : next + 1;
    line += 1;
  }
  return { whole, broken };
}

/** A line before the next quote, which is a record whatever stands in it; undefined: it is not so plain. */
function plainAt(text: string, start: number, quote: number) {
  const feed = text.indexOf('\n', start);
  const end = feed < 0 ? text.length : feed + 1;
  const isPlain = (quote < 0 || quote >= end) && isOfRowSize(text, start, end);
  return isPlain ? { end, lines: 1, isWhole: true } : undefined;
}

/** From its first character to behind its line feed. */
function recordAt(text: string, start: number): { end: number; lines: number; isWhole: boolean } {
  const state = quoteState();
  const most = Math.min(text.length, start + LARGEST_ROW);
  let lines = 1;
  for (let index = start; index < most; index += 1) {
    const code = text.charCodeAt(index);
    stepQuote(state, code);
    if (code !== LINE_FEED) continue;
    if (!state.isQuoted) return { end: index + 1, lines, isWhole: isOfRowSize(text, start, index + 1) };
    lines += 1;
  }
  const isLast = most === text.length && !state.isQuoted;
  return { end: most, lines, isWhole: isLast && isOfRowSize(text, start) };
}

/** Behind a quote that closes a cell stands its end, or else it is the quote that begins a cell of another row: then there are none. */
function strictCells(record: string): readonly string[] {
  try {
    const records: readonly (readonly string[])[] = parse(record, {
      relax_column_count: true,
      record_delimiter: ['\r\n', '\n'],
    });
    return records.length === 1 ? (records[0] ?? []) : [];
  } catch (error) {
    if (error instanceof CsvError) return [];
    throw error;
  }
}
