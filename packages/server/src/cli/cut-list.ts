import { createReadStream } from 'node:fs';
import { type QuoteState, quoteState, stepQuote } from '../foundation/csv.ts';
import { HabeasError } from '../foundation/errors.ts';

/** A part of a list that can be read by itself: the header, and rows from a line on. */
export interface ListPiece {
  readonly body: Buffer;
  /** Line of the list in which its first row stands. */
  readonly firstLine: number;
  /** Line in which the next piece begins, or the list would go on. */
  readonly nextLine: number;
}

const LINE_FEED = 0x0a;

export interface CutOptions {
  /** (Default: 500) */
  readonly rows?: number;
  /** (Default: 256 KiB) */
  readonly bytes?: number;
  /** `lines`: there is no header, and each line is a row, whatever stands in it. (Default: csv) */
  readonly format?: 'csv' | 'lines';
  /**
   * What becomes of a line whose quote is not closed, or that is larger than a row can be: it is a row of its own, of which nothing stands behind what
   * a row can have, and who reads it refuses it. (Default: the file is given up)
   */
  readonly openQuote?: 'own-row';
  /** Rows that begin before it are left out. (Default: 1) */
  readonly fromLine?: number;
}

/** What one piece may have at most, with the header; a row that is larger is no row. */
const MOST_BYTES = 1_000_000;
/** A quote that is open for so long was not closed, where a file is not given up for it. */
const LARGEST_ROW = 64 * 1_024;

/**
 * Cuts a file, or the bytes of one, of comma-separated values into pieces, reading it as it goes. A line break ends a row unless it stands in a cell that began
 * with a quote (RFC 4180). Nothing else is looked at. Throws BAD_INPUT for a file that cannot be read, or a quote that is not closed.
 */
export async function* cutList(
  file: string | AsyncIterable<Uint8Array>,
  options: CutOptions = {},
): AsyncGenerator<ListPiece, void, undefined> {
  const { rows: mostRows = 500, bytes: mostBytes = 256 * 1_024, format = 'csv', openQuote } = options;
  const { fromLine = 1 } = options;
  let header: Buffer | undefined = format === 'lines' ? Buffer.alloc(0) : undefined;
  let line = 1;
  let firstLine = 1;
  let rows: Buffer[] = [];
  let size = 0;
  const piece = (): ListPiece => ({
    body: Buffer.concat([header ?? Buffer.alloc(0), ...rows]),
    firstLine,
    nextLine: line,
  });
  for await (const { bytes, lines } of records(file, { hasQuotes: format === 'csv', openQuote })) {
    if (header === undefined) {
      header = bytes;
      line += lines;
      firstLine = line;
      continue;
    }
    if (line < fromLine) {
      line += lines;
      firstLine = line;
      continue;
    }
    rows.push(bytes);
    size += bytes.length;
    line += lines;
    if (rows.length < mostRows && size < mostBytes) continue;
    yield piece();
    rows = [];
    size = 0;
    firstLine = line;
  }
  // A header alone is sent too: the server says what is wrong with it.
  if (format === 'lines') {
    if (rows.length > 0) yield piece();
  } else if (rows.length > 0 || firstLine <= 2) yield { ...piece(), firstLine: Math.max(firstLine, 2) };
}

interface RawRecord {
  readonly bytes: Buffer;
  readonly lines: number;
}

interface RecordOptions {
  readonly hasQuotes: boolean;
  readonly openQuote: CutOptions['openQuote'];
}

/** What of the bytes was looked at. */
interface Scan {
  at: number;
  lines: number;
  quotes: QuoteState;
}

async function* records(
  file: string | AsyncIterable<Uint8Array>,
  { hasQuotes, openQuote }: RecordOptions,
): AsyncGenerator<RawRecord, void, undefined> {
  const most = openQuote === undefined ? MOST_BYTES : LARGEST_ROW;
  let rest = Buffer.alloc(0);
  let line = 1;
  let scan: Scan = { at: 0, lines: 0, quotes: quoteState() };
  /** Of a line that is too large nothing more is looked at. */
  let isSkipping = false;

  /** Rows that have ended; what is left is the beginning of one. */
  function* whole(isLast: boolean): Generator<RawRecord> {
    for (;;) {
      let start = 0;
      for (; scan.at < rest.length && scan.at - start <= most; scan.at += 1) {
        const byte = rest[scan.at] ?? 0;
        if (hasQuotes) stepQuote(scan.quotes, byte);
        if (byte !== LINE_FEED) continue;
        scan.lines += 1;
        if (scan.quotes.isQuoted) continue;
        yield { bytes: rest.subarray(start, scan.at + 1), lines: scan.lines };
        line += scan.lines;
        scan.lines = 0;
        start = scan.at + 1;
      }
      rest = Buffer.from(rest.subarray(start));
      scan.at -= start;
      const isTooLarge = scan.at > most;
      const isOpen = isTooLarge || (isLast && scan.quotes.isQuoted);
      if (!isOpen || (openQuote === undefined && !isTooLarge)) return;
      if (openQuote === undefined) {
        const hint = scan.quotes.isQuoted ? '; a quote in it may not be closed' : '';
        throw new HabeasError('BAD_INPUT', `The row in line ${line} is larger than ${most} bytes${hint}.`);
      }
      const end = rest.indexOf(LINE_FEED) + 1;
      const length = end === 0 ? rest.length : end;
      const bytes = rest.subarray(0, length);
      yield {
        bytes: length > most ? Buffer.concat([bytes.subarray(0, most + 1), Buffer.of(LINE_FEED)]) : bytes,
        lines: 1,
      };
      isSkipping = end === 0 && !isLast;
      line += 1;
      rest = Buffer.from(rest.subarray(length));
      scan = { at: 0, lines: 0, quotes: quoteState() };
    }
  }

  for await (const chunk of typeof file === 'string' ? chunksOf(file) : file) {
    const end = isSkipping ? chunk.indexOf(LINE_FEED) + 1 : 0;
    if (isSkipping && end === 0) continue;
    isSkipping = false;
    rest = Buffer.concat([rest, chunk.subarray(end)]);
    yield* whole(false);
  }
  yield* whole(true);
  if (rest.length > 0) yield { bytes: rest, lines: scan.lines + 1 };
}

async function* chunksOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of createReadStream(file)) yield chunk;
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${file} cannot be read.`, { cause, place: { file } });
  }
}
