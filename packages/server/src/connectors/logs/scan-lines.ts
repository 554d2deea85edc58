import { beginsAt, endsAt } from './is-boundary.ts';
import { MultiSearch } from './multi-search.ts';
import type { Needle } from './needles.ts';

/** Bytes of a value in a file. */
export interface Span {
  /** From the beginning of the file, unpacked. */
  readonly from: number;
  readonly to: number;
}

/** A line that names one of the people. */
export interface FoundLine {
  /** From the beginning of the file, unpacked; `end` is behind its line feed. */
  readonly start: number;
  readonly end: number;
  /** The values in it, from the left. */
  readonly spans: readonly Span[];
  /** Which needles are in it. */
  readonly needles: ReadonlySet<Needle>;
  /** What stands in it; undefined where it is too long for the memory. */
  readonly bytes: Buffer | undefined;
}

const LINE_FEED = 10;
const QUOTE = 34;
/** A line that is longer is looked through in parts. */
const LONG_LINE_BYTES = 8 << 20;

/** Looks through a file line by line, with no more of it in memory than a part and a line. */
export class LineScanner {
  readonly #needles: readonly Needle[];
  readonly #search: MultiSearch;
  readonly #overlap: number;
  readonly #longLine: number;
  /** What stands behind the last line feed. It is joined once, however small the parts of a long line are. */
  #rest: Buffer[] = [];
  #restLength = 0;
  /** Where it begins in the file. */
  #at = 0;
  #long: { readonly start: number; readonly spans: Span[]; readonly needles: Set<Needle> } | undefined;

  constructor(needles: readonly Needle[], longLine: number = LONG_LINE_BYTES) {
    this.#needles = needles;
    this.#search = new MultiSearch(needles.map(({ bytes }) => bytes));
    this.#overlap = 16 + Math.max(0, ...needles.map(({ bytes }) => bytes.length));
    this.#longLine = Math.max(longLine, 4 * this.#overlap);
  }

  /** The lines that ended in this part of the file. */
  next(part: Buffer): readonly FoundLine[] {
    const last = part.lastIndexOf(LINE_FEED);
    if (last >= 0) {
      const found = this.#take(this.#joined(part.subarray(0, last + 1)));
      this.#keep(part.subarray(last + 1));
      return found;
    }
    this.#keep(part);
    if (this.#restLength > this.#longLine) this.#shorten();
    return [];
  }

  /** The last line, if it has no line feed. */
  end(): readonly FoundLine[] {
    return this.#restLength === 0 && this.#long === undefined ? [] : this.#take(this.#joined());
  }

  #joined(part?: Buffer): Buffer {
    const parts = part === undefined ? this.#rest : [...this.#rest, part];
    const [only] = parts;
    this.#rest = [];
    this.#restLength = 0;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  /** A copy: parts are used again. */
  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#rest.push(Buffer.from(part));
    this.#restLength += part.length;
  }

  #take(lines: Buffer): readonly FoundLine[] {
    const found = this.#linesIn(lines);
    this.#at += lines.length;
    return found;
  }

  /** Keeps of a line that is too long what could be the beginning of a value, and what stands before that. */
  #shorten(): void {
    const long = this.#long ?? { start: this.#at, spans: [], needles: new Set<Needle>() };
    const rest = this.#joined();
    const keep = rest.length - 2 * this.#overlap;
    for (const value of this.#valuesIn(rest)) {
      // What begins later is found with the next part, when what is behind it is known.
      if (value.at < keep + this.#overlap) note(long, value);
    }
    this.#long = long;
    this.#keep(rest.subarray(keep));
    this.#at += keep;
  }

  #linesIn(bytes: Buffer): readonly FoundLine[] {
    const lines = new Map<number, OpenLine>();
    const long = this.#long;
    if (long !== undefined) lines.set(0, { ...long, end: bytes.indexOf(LINE_FEED) + 1 || bytes.length });
    for (const value of this.#valuesIn(bytes)) {
      const line = lines.get(value.start) ?? { spans: [], needles: new Set<Needle>(), end: value.end };
      lines.set(value.start, line);
      note(line, value);
    }
    this.#long = undefined;
    return [...lines]
      .filter(([, { spans }]) => spans.length > 0)
      .sort(([one], [other]) => one - other)
      .map(([start, { end, spans, needles }]) => {
        const isLong = start === 0 && long !== undefined;
        return {
          start: isLong ? long.start : this.#at + start,
          end: this.#at + end,
          spans: spans.sort((one, other) => one.from - other.from),
          needles,
          bytes: isLong ? undefined : bytes.subarray(start, end),
        };
      });
  }

  /** The values in whole lines, or in a part of one. */
  *#valuesIn(bytes: Buffer): Iterable<FoundValue> {
    const places: Place[] = [];
    this.#search.search(bytes, (index, at) => {
      const needle = this.#needles[index];
      // In the part of a long line that was kept, these were seen before, with what stands in front of them.
      if (this.#long !== undefined && at < this.#overlap) return;
      if (needle === undefined || !isValue(bytes, at, needle)) return;
      const start = at === 0 ? 0 : bytes.lastIndexOf(LINE_FEED, at - 1) + 1;
      places.push({ needle, at, start, end: bytes.indexOf(LINE_FEED, at) + 1 || bytes.length });
    });
    // Of the places in a line where a member's value stands, those behind its name are meant, if there are any.
    const named = new Set<string>();
    const lineOf = ({ start, needle }: Place) => `${start} ${needle.bytes.toString('latin1')}`;
    for (const place of places) if (followsName(bytes, place.at, place.needle)) named.add(lineOf(place));
    const parsed = new Map<string, boolean>();
    for (const place of places) {
      const { needle, at, start, end } = place;
      if (needle.member !== undefined) {
        const follows = followsName(bytes, at, needle);
        const isPart = (this.#long !== undefined && start === 0) || end - start > this.#longLine;
        if (isPart ? !follows : !follows && named.has(lineOf(place))) continue;
        if (!isPart) {
          const has = parsed.get(lineOf(place)) ?? hasMember(bytes.subarray(start, end), needle);
          parsed.set(lineOf(place), has);
          if (!has) continue;
        }
      }
      const from = this.#at + at;
      yield { ...place, span: { from: from + needle.from, to: from + needle.to } };
    }
  }
}

interface Place {
  readonly needle: Needle;
  readonly at: number;
  /** Of its line. */
  readonly start: number;
  readonly end: number;
}

interface FoundValue extends Place {
  readonly span: Span;
}

interface OpenLine {
  readonly end: number;
  readonly spans: Span[];
  readonly needles: Set<Needle>;
}

function note(line: Pick<OpenLine, 'spans' | 'needles'>, { span, needle }: FoundValue): void {
  line.needles.add(needle);
  if (!line.spans.some(({ from, to }) => from <= span.from && span.to <= to)) line.spans.push(span);
}

function isValue(bytes: Buffer, at: number, needle: Needle): boolean {
  const end = at + needle.bytes.length;
  // A number in JSON stands without quotes; the text is another needle.
  if (needle.member !== undefined && bytes[at - 1] === QUOTE) return false;
  if (needle.exact && !bytes.subarray(at, end).equals(needle.bytes)) return false;
  if (needle.looksBefore && !beginsAt(bytes, at, needle.own)) return false;
  return !needle.looksAfter || endsAt(bytes, end, needle.own);
}

/** Whether the place is the value behind `"name":`. */
function followsName(bytes: Buffer, at: number, { member }: Needle): boolean {
  const name = member?.path.at(-1);
  if (name === undefined) return false;
  const before = bytes.toString('utf8', Math.max(0, at - Buffer.byteLength(name) * 6 - 16), at);
  const [, quoted] = /("(?:[^"\\]|\\.)*")\s*:\s*$/.exec(before) ?? [];
  return quoted === JSON.stringify(name);
}

/** Whether the line is JSON whose member has the value. */
function hasMember(line: Buffer, needle: Needle): boolean {
  const { member, exact } = needle;
  if (member === undefined) return false;
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'), exactNumbers);
  } catch {
    // A line that was cut off is no JSON any more, and may still name somebody.
    return true;
  }
  const wanted = foldedText(member.value, exact);
  return [...valuesAt(value, member.path)].some((one) => foldedText(one, exact) === wanted);
}

/** A number that JavaScript would round stays the text that it is: ids of 19 digits are common. */
export function exactNumbers(_: string, value: unknown, context?: { readonly source: string }): unknown {
  const source = context?.source ?? '';
  return typeof value === 'number' && /^-?\d+$/.test(source) && !Number.isSafeInteger(value) ? source : value;
}

function foldedText(value: unknown, exact: boolean): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value).normalize('NFC');
  return exact ? text : text.toLowerCase();
}

function* valuesAt(value: unknown, path: readonly string[]): Iterable<unknown> {
  if (Array.isArray(value)) {
    for (const one of value) yield* valuesAt(one, path);
    return;
  }
  const [name, ...rest] = path;
  if (name === undefined) yield value;
  else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
    yield* valuesAt(Reflect.get(value, name), rest);
}
