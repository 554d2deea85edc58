import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { HabeasError } from '../../foundation/index.ts';

export type Delimiter = ',' | ';' | '\t';

export interface TableRow {
  /** Where it begins, from 1 for the header. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly TableRow[];
  /** From this line on nothing can be read, because a quote is not where it may be. */
  readonly unreadFrom: number | undefined;
}

const MAX_RECORD_CHARACTERS = 64 * 1_024;

/**
 * Reads comma-separated values (RFC 4180) in UTF-8, with or without a byte order mark, whatever ends its lines. Nothing is guessed
 * but the delimiter: a stray quote ends the reading, because from there on nobody knows where a row begins. Throws BAD_INPUT for
 * another encoding and for a list without a header; the text holds line numbers and nothing of the cells.
 */
export function readTable(bytes: Uint8Array, delimiter?: Delimiter): Table {
  // The parser counts a line break of two characters twice where it stands in a cell.
  const text = decode(bytes).replace(/\r\n?/g, '\n');
  const found = delimiter ?? likeliestDelimiter(text);
  const records: TableRow[] = [];
  let lastLine = 0;
  let unreadFrom: number | undefined;
  try {
    parse(text, {
      delimiter: found,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MAX_RECORD_CHARACTERS,
      on_record: (cells: string[], { lines }) => {
        lastLine = lines;
        records.push({ line: lines - breaksIn(cells), cells });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    unreadFrom = lastLine + 1;
  }
  const [header, ...rows] = records;
  if (header === undefined) {
    throw new HabeasError(
      'BAD_INPUT',
      'The list has no header. Its first line must name the columns, such as right,email.',
    );
  }
  return { header: header.cells.map((name) => name.trim()), rows, unreadFrom };
}

/** The parser counts up to where a record ends; its cells may hold line breaks. */
function breaksIn(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0);
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new HabeasError('BAD_INPUT', 'The list is in UTF-16. Save it as CSV in UTF-8.');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HabeasError(
      'BAD_INPUT',
      `Line ${firstBadLine(bytes)} of the list is not in UTF-8. Save it as CSV in UTF-8.`,
    );
  }
  const nul = text.indexOf('\0');
  if (nul < 0) return text;
  const line = text.slice(0, nul).split('\n').length;
  throw new HabeasError('BAD_INPUT', `Line ${line} of the list holds a NUL. Save it as CSV in UTF-8.`);
}

function firstBadLine(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let line = 1; ; line += 1) {
    const end = buffer.indexOf(0x0a, start);
    const piece = buffer.subarray(start, end < 0 ? undefined : end);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(piece);
    } catch {
      return line;
    }
    if (end < 0) return line;
    start = end + 1;
  }
}

const DELIMITERS: readonly Delimiter[] = [',', ';', '\t'];

/** Names of columns hold none of these, so that the first line tells; with one column alone it does not matter. */
function likeliestDelimiter(text: string): Delimiter {
  const [header = ''] = text.split(/[\r\n]/, 1);
  const count = (delimiter: Delimiter) => header.split(delimiter).length;
  return DELIMITERS.reduce((best, next) => (count(next) > count(best) ? next : best));
}
