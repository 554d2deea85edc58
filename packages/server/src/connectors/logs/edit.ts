import type { FoundLine, Span } from './scan-lines.ts';

/** What becomes of some bytes of a file: they go, or as many others take their place. */
export interface Edit extends Span {
  readonly to: number;
  /** Undefined: the bytes go. */
  readonly filler: Filler | undefined;
}

/**
 * - `stars`: a star for each byte.
 * - `null`: `null` and spaces, where JSON has a number.
 * - `spaces`: an empty line, as long as before.
 */
export type Filler = 'stars' | 'null' | 'spaces';

/** The edits that erase a line's values, or the line. `inPlace`: the file must not become shorter. */
export function editsOf(line: FoundLine, erase: 'drop' | 'redact', inPlace: boolean): readonly Edit[] {
  if (erase === 'drop') {
    if (!inPlace) return [{ from: line.start, to: line.end, filler: undefined }];
    const last = line.bytes?.at(-1) === 10 || line.bytes === undefined ? 1 : 0;
    const isCarriage = line.bytes?.at(-2) === 13 ? 1 : 0;
    return [{ from: line.start, to: line.end - last - (last === 1 ? isCarriage : 0), filler: 'spaces' }];
  }
  const edits = line.spans.map((span) => redaction(line, span));
  // Nothing can take the place of an empty value, nor of a number that is shorter than `null`: the line goes.
  return edits.some((edit) => edit === undefined)
    ? editsOf(line, 'drop', inPlace)
    : edits.filter((edit) => edit !== undefined);
}

function redaction(line: FoundLine, span: Span): Edit | undefined {
  const length = span.to - span.from;
  if (length === 0) return undefined;
  if (![...line.needles].some(({ member }) => member !== undefined)) return { ...span, filler: 'stars' };
  const isText = line.bytes?.[span.from - line.start] === 34;
  if (isText) return length > 2 ? { from: span.from + 1, to: span.to - 1, filler: 'stars' } : undefined;
  return length < 4 ? undefined : { ...span, filler: 'null' };
}

/** The bytes that take the place of `length` others. */
export function fillerBytes(filler: Filler, length: number): Buffer {
  if (filler === 'stars') return Buffer.alloc(length, '*');
  const bytes = Buffer.alloc(length, ' ');
  if (filler === 'null') bytes.write('null');
  return bytes;
}

/** A file with its edits made. Parts may be used again after they were taken; edits are in order and do not overlap. */
export async function* edited(parts: AsyncIterable<Buffer>, edits: readonly Edit[]): AsyncGenerator<Buffer> {
  let at = 0;
  let next = 0;
  for await (const part of parts) {
    const end = at + part.length;
    let done = at;
    for (let edit = edits[next]; edit !== undefined && edit.from < end; edit = edits[next]) {
      if (edit.from > done) yield part.subarray(done - at, edit.from - at);
      const from = Math.max(edit.from, at);
      const to = Math.min(edit.to, end);
      if (edit.filler !== undefined)
        yield fillerBytes(edit.filler, edit.to - edit.from).subarray(from - edit.from, to - edit.from);
      done = to;
      if (edit.to > end) break;
      next += 1;
    }
    if (done < end) yield part.subarray(done - at);
    at = end;
  }
}
