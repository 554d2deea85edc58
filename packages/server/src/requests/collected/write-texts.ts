import type { TextRows } from '../../connectors/index.ts';
import { csvCell } from '../../foundation/index.ts';
import type { GrowingBytes } from './growing-bytes.ts';

/*
 * Rows of texts become JSON and CSV byte by byte, because a string or an object for each of millions of values would take several
 * times as long. What comes out is what JSON.stringify and csvCell give.
 */

/** What a byte means for the formats; a text gets the meanings of all its bytes. */
const QUOTE = 0x22;
const ESCAPED = 1;
const QUOTED = 2;
const MEANING = new Uint8Array(256);
for (let byte = 0; byte < 0x20; byte += 1) MEANING[byte] = ESCAPED;
MEANING[0x5c] = ESCAPED;
MEANING[0x2c] = QUOTED;
for (const char of '"\r\n') MEANING[char.charCodeAt(0)] = ESCAPED | QUOTED;

/** Of the first and the last byte of a cell: it stands there as it is, it has to be in quotes, or the text as a whole is to be looked at. */
const LOOKED_AT = 0;
const PLAIN = 1;
const SPACE = 2;
const AT_END = new Uint8Array(256).fill(PLAIN, 0x21, 0x7f);
AT_END[0x20] = SPACE;
const AT_BEGIN = AT_END.slice();
for (const char of '=+-@') AT_BEGIN[char.charCodeAt(0)] = LOOKED_AT;

/** Longer texts are left to the methods of strings, so that no room has to be made for the worst of each byte. */
const LONG_BYTES = 4 * 1024;
const WORST_ESCAPE = '\\u0000'.length;

const NULL = -1;

export interface TextsTarget {
  readonly json: GrowingBytes;
  /** Undefined: none is written. */
  readonly csv: GrowingBytes | undefined;
  /** The columns of the CSV, in order. */
  readonly csvColumns: readonly string[];
  /** Whether a row stands in the JSON already. */
  readonly goesOn: boolean;
}

/** Of each column, how many values were null. */
export type NullCounts = readonly number[];

/** Writes each row as an object of a JSON array, one a line, and as a line of CSV. */
export function writeTexts({ columns, bytes, count }: TextRows, target: TextsTarget): NullCounts {
  const { json, csv } = target;
  const begins = columns.map((column, at) =>
    Buffer.from(`${at === 0 ? '{' : ','}${JSON.stringify(column)}:`),
  );
  const width = columns.length;
  const rowBytes = begins.reduce((sum, begin) => sum + begin.length, 8);
  const starts = new Int32Array(width);
  const lengths = new Int32Array(width);
  const meanings = new Uint8Array(width);
  const nulls = new Array<number>(width).fill(0);
  const cells = target.csvColumns.map((column) => columns.indexOf(column));
  let at = 0;
  for (let row = 0; row < count; row += 1) {
    at += 2;
    json.reserve(rowBytes);
    if (target.goesOn || row > 0) json.bytes[json.length++] = 0x2c;
    json.bytes[json.length++] = 0x0a;
    for (let column = 0; column < width; column += 1) {
      const length = bytes.readInt32BE(at);
      at += 4;
      starts[column] = at;
      lengths[column] = length;
      putBytes(json, begins[column] as Buffer);
      if (length === NULL) {
        nulls[column] = (nulls[column] as number) + 1;
        json.add('null');
        continue;
      }
      meanings[column] = putJson(json, bytes, at, at + length);
      at += length;
    }
    json.reserve(1);
    json.bytes[json.length++] = 0x7d;
    if (csv === undefined) continue;
    for (let cell = 0; cell < cells.length; cell += 1) {
      csv.reserve(2);
      if (cell > 0) csv.bytes[csv.length++] = 0x2c;
      const column = cells[cell] as number;
      const length = column === -1 ? NULL : (lengths[column] as number);
      if (length > 0) putCsv(csv, bytes, starts[column] as number, length, meanings[column] as number);
    }
    csv.reserve(2);
    csv.bytes[csv.length++] = 0x0d;
    csv.bytes[csv.length++] = 0x0a;
  }
  return nulls;
}

/** The text as JSON, with what its bytes mean. */
function putJson(json: GrowingBytes, from: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length > LONG_BYTES) {
    json.add(JSON.stringify(from.toString('utf8', start, end)));
    return QUOTED;
  }
  json.reserve(WORST_ESCAPE * length + 2);
  const { bytes } = json;
  let to = json.length;
  let meaning = 0;
  bytes[to++] = 0x22;
  for (let at = start; at < end; at += 1) {
    const byte = from[at] as number;
    const means = MEANING[byte] as number;
    meaning |= means;
    if ((means & ESCAPED) === 0) bytes[to++] = byte;
    else to += bytes.write(JSON.stringify(String.fromCharCode(byte)).slice(1, -1), to, 'latin1');
  }
  bytes[to++] = 0x22;
  json.length = to;
  return meaning;
}

function putCsv(csv: GrowingBytes, from: Buffer, start: number, length: number, meaning: number): void {
  const end = start + length;
  const begin = AT_BEGIN[from[start] as number];
  const last = AT_END[from[end - 1] as number];
  if (begin === LOOKED_AT || last === LOOKED_AT || length > LONG_BYTES) {
    csv.add(csvCell(from.toString('utf8', start, end)));
    return;
  }
  csv.reserve(2 * length + 2);
  const { bytes } = csv;
  let to = csv.length;
  const isQuoted = (meaning & QUOTED) !== 0 || begin === SPACE || last === SPACE;
  if (isQuoted) bytes[to++] = QUOTE;
  for (let at = start; at < end; at += 1) {
    const byte = from[at] as number;
    if (byte === QUOTE) bytes[to++] = QUOTE;
    bytes[to++] = byte;
  }
  if (isQuoted) bytes[to++] = QUOTE;
  csv.length = to;
}

/** Short ones: a call for each would take longer than they do. */
function putBytes(target: GrowingBytes, from: Buffer): void {
  target.reserve(from.length);
  const { bytes } = target;
  let to = target.length;
  for (let at = 0; at < from.length; at += 1) bytes[to++] = from[at] as number;
  target.length = to;
}
