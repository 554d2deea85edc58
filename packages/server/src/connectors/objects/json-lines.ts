import { HabeasError } from '../../foundation/index.ts';
import { readable } from '../byte-text.ts';
import { type JsonValue, jsonValues } from '../json-walk.ts';
import { exactNumbers } from '../logs/scan-lines.ts';
import { type Candidates, candidatesFor, LINE_FEED } from './json-candidates.ts';
import type { ColumnMask, OpenRows } from './row-format.ts';
import type { RowSearch } from './row-search.ts';
import type { Splice } from './splice.ts';
import { type TextRow, textFormat } from './text-rows.ts';

const MOST_LINE_BYTES = 64 << 20;

/** One JSON value in each line (NDJSON, JSON Lines). */
export const jsonLines = textFormat('json-lines', jsonRows);

/** The lines that are somebody's, wherever the text is cut into parts. */
export async function* jsonRows(parts: AsyncIterable<Buffer>, { search }: OpenRows): AsyncGenerator<TextRow> {
  const candidates = candidatesFor(search);
  let rest: Buffer[] = [];
  let kept = 0;
  let at = 0;
  for await (const part of parts) {
    const end = part.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      const lines = kept === 0 ? part.subarray(0, end) : Buffer.concat([...rest, part.subarray(0, end)]);
      yield* rowsIn(lines, { at, search, candidates });
      at += lines.length;
      rest = [];
      kept = 0;
    }
    const tail = part.subarray(end);
    rest.push(Buffer.from(tail));
    kept += tail.length;
    if (kept > MOST_LINE_BYTES)
      throw new HabeasError(
        'SYSTEM_FAILED',
        `A line that begins at byte ${at} of an object is longer than 64 MiB, so it cannot be looked through; the object was left as it is. Take it out of what the dataset names, or write it in lines.`,
      );
  }
  if (kept > 0) yield* rowsIn(Buffer.concat(rest), { at, search, candidates });
}

interface Lines {
  /** Where they begin in the file. */
  readonly at: number;
  readonly search: RowSearch;
  readonly candidates: Candidates;
}

function* rowsIn(bytes: Buffer, { at, search, candidates }: Lines): Iterable<TextRow> {
  for (const { from, to, isSure } of candidates(bytes)) {
    // A byte order mark is no part of the first value.
    const mark = at + from === 0 && bytes.readUIntBE(0, Math.min(3, bytes.length)) === 0xefbbbf ? 3 : 0;
    const text = bytes.toString('latin1', from + mark, to);
    const whose = whoseLine(text, search, { at: at + from, isSure });
    if (whose.size === 0) continue;
    const start = at + from + mark;
    yield {
      from: start,
      to: at + to,
      whose,
      content: () => contentOf(text),
      masked: (columns) => masksIn(text, start, columns),
    };
  }
}

/**
 * Whose a line is. One that was cut off is somebody's if what is left of it says so. Throws SYSTEM_FAILED for a line that is no JSON and has
 * one of the values somewhere: nobody can tell what it means there.
 */
function whoseLine(
  text: string,
  search: RowSearch,
  line: { readonly at: number; readonly isSure: boolean },
): ReadonlySet<number> {
  const row: string[][] = search.columns.map(() => []);
  const values = jsonValues(
    text,
    search.columns.map(({ path }) => path),
  );
  try {
    for (const value of values) {
      const plain = search.textOf(value.path, plainValue(text, value));
      if (plain !== undefined) row[value.path]?.push(plain);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const whose = search.whose(row);
    if (whose.size > 0 || !line.isSure || text.trim() === '') return whose;
    throw new HabeasError(
      'SYSTEM_FAILED',
      `The line that begins at byte ${line.at} of an object is no JSON, and has a value that is looked for; the object was left as it is. Correct the line.`,
    );
  }
  return search.whose(row);
}

/** A value as the line has it: a number by its digits, so that long ones stay what they are. */
function plainValue(text: string, { from, to }: JsonValue): unknown {
  const written = text.slice(from, to);
  if (written.startsWith('"')) return JSON.parse(readable(written));
  return written === 'null' ? null : written;
}

function contentOf(text: string): Readonly<Record<string, unknown>> {
  const line = readable(text).replace(/[\r\n]+$/, '');
  try {
    const value: unknown = JSON.parse(line, exactNumbers);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // It was cut off; then it is given as it stands.
  }
  return { line };
}

function masksIn(text: string, start: number, columns: readonly ColumnMask[]): readonly Splice[] {
  const splices: Splice[] = [];
  const values = jsonValues(
    text,
    columns.map(({ path }) => path),
  );
  for (const value of values) {
    const plain = plainValue(text, value);
    if (plain === null) continue;
    const by = Buffer.from(JSON.stringify(columns[value.path]?.mask(plain) ?? null));
    splices.push({ from: start + value.from, to: start + value.to, by });
  }
  return splices;
}
