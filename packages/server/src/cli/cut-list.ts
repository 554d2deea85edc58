import { createReadStream } from 'node:fs';
import { HabeasError } from '../foundation/errors.ts';

/** A part of a list that can be read by itself: the header, and rows from a line on. */
export interface ListPiece {
  readonly body: Buffer;
  /** Line of the list in which its first row stands. */
  readonly firstLine: number;
  /** Line in which the next piece begins, or the list would go on. */
  readonly nextLine: number;
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

export interface CutOptions {
  /** (Default: 500) */
  readonly rows?: number;
  /** (Default: 256 KiB) */
  readonly bytes?: number;
  /** `lines`: there is no header, and each line is a row, whatever stands in it. (Default: csv) */
  readonly format?: 'csv' | 'lines';
}

/** What one piece may have at most, with the header; a row that is larger is no row. */
const MOST_BYTES = 1_000_000;

/**
 * Cuts a file of comma-separated values into pieces, reading it as it goes. A line break ends a row unless an odd number of quotes
 * came before it (RFC 4180). Nothing else is looked at. Throws BAD_INPUT for a file that cannot be read, or a quote that is not closed.
 */
export async function* cutList(
  file: string,
  options: CutOptions = {},
): AsyncGenerator<ListPiece, void, undefined> {
  const { rows: mostRows = 500, bytes: mostBytes = 256 * 1_024, format = 'csv' } = options;
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
  for await (const { bytes, lines } of records(file, format === 'csv')) {
    if (header === undefined) {
      header = bytes;
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

async function* records(file: string, hasQuotes: boolean): AsyncGenerator<RawRecord, void, undefined> {
  let rest = Buffer.alloc(0);
  let line = 1;
  const state = { scanned: 0, isQuoted: false, lines: 0 };
  for await (const chunk of chunksOf(file)) {
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let index = state.scanned; index < rest.length; index += 1) {
      const byte = rest[index];
      if (byte === QUOTE && hasQuotes) state.isQuoted = !state.isQuoted;
      if (byte !== LINE_FEED) continue;
      state.lines += 1;
      if (state.isQuoted) continue;
      yield { bytes: rest.subarray(start, index + 1), lines: state.lines };
      line += state.lines;
      state.lines = 0;
      start = index + 1;
    }
    rest = Buffer.from(rest.subarray(start));
    state.scanned = rest.length;
    if (rest.length > MOST_BYTES) {
      throw new HabeasError(
        'BAD_INPUT',
        `The row in line ${line} is larger than ${MOST_BYTES} bytes; a quote in it may not be closed.`,
      );
    }
  }
  if (rest.length > 0) yield { bytes: rest, lines: state.lines + 1 };
}

async function* chunksOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of createReadStream(file)) yield chunk;
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${file} cannot be read.`, { cause, place: { file } });
  }
}
