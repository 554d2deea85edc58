/** One sample of a metrics page, as it stands there. */
export interface SampleLine {
  readonly name: string;
  /** Escapes resolved. Names are unique. */
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** Why a line is not a sample. Never quotes the line: it may hold what must not be repeated. */
export interface BrokenLine {
  readonly broken: string;
  /** As far as it could be read. */
  readonly name: string | undefined;
}

/** Longest line that is read, in UTF-16 units. */
export const MAX_LINE = 64 * 1024;

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const BLANK = /[ \t]*/y;
const TOKEN = /[^ \t]+/y;
const NUMBER = /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|infinity|nan)$/i;
const TIMESTAMP = /^-?\d+(?:\.\d+)?$/;

/**
 * Reads one line of the Prometheus text format 0.0.4, or of OpenMetrics 1.0 (exemplars, timestamps in seconds), with names
 * in quotes as Prometheus 3 writes them. Strict: what Prometheus refuses is refused.
 */
export function parseSampleLine(line: string): SampleLine | BrokenLine {
  const reader = new LineReader(line);
  try {
    return reader.sample();
  } catch (error) {
    if (error instanceof Broken) return { broken: error.reason, name: reader.name };
    throw error;
  }
}

class Broken extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

class LineReader {
  name: string | undefined;
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  sample(): SampleLine {
    this.#match(BLANK);
    this.name = this.#match(NAME);
    this.#match(BLANK);
    const labels = this.#next() === '{' ? this.#labels({ mayHoldName: this.name === undefined }) : new Map();
    if (this.#line.length > MAX_LINE) throw new Broken('it is too long');
    if (this.#line.includes('�')) throw new Broken('it is not valid UTF-8');
    if (this.name === undefined) throw new Broken('it has no metric name');
    const value = this.#value();
    this.#timestamp();
    this.#exemplar();
    return { name: this.name, labels, value };
  }

  /** From `{` to `}`. A quoted text without `=` is the metric's name. */
  #labels(options: { readonly mayHoldName: boolean }): Map<string, string> {
    const labels = new Map<string, string>();
    this.#at += 1;
    for (;;) {
      this.#match(BLANK);
      if (this.#next() === '}') break;
      const quoted = this.#next() === '"';
      const name = quoted ? this.#quoted('a quoted name') : this.#match(LABEL_NAME);
      if (name === undefined) throw new Broken('a label name is malformed');
      this.#match(BLANK);
      if (this.#next() === '=') {
        this.#at += 1;
        this.#match(BLANK);
        if (this.#next() !== '"') throw new Broken('a label value is not in quotes');
        if (labels.has(name)) throw new Broken('a label is given twice');
        labels.set(name, this.#quoted('a label value'));
        this.#match(BLANK);
      } else if (quoted && options.mayHoldName && this.name === undefined && name !== '') {
        this.name = name;
      } else {
        throw new Broken('a label has no value');
      }
      if (this.#next() === ',') this.#at += 1;
      else if (this.#next() !== '}') throw new Broken('the labels do not end');
    }
    this.#at += 1;
    return labels;
  }

  /** From one quote to the other, with the three escapes of the format. */
  #quoted(what: string): string {
    let text = '';
    for (let at = this.#at + 1, from = at; at < this.#line.length; at += 1) {
      const character = this.#line[at];
      if (character === '"') {
        this.#at = at + 1;
        return text + this.#line.slice(from, at);
      }
      if (character !== '\\') continue;
      const escaped = this.#line[at + 1];
      if (escaped !== '\\' && escaped !== '"' && escaped !== 'n') {
        throw new Broken(`${what} has an unknown escape`);
      }
      text += this.#line.slice(from, at) + (escaped === 'n' ? '\n' : escaped);
      at += 1;
      from = at + 1;
    }
    throw new Broken(`${what} does not end`);
  }

  #value(): number {
    this.#match(BLANK);
    const token = this.#match(TOKEN);
    if (token === undefined || !NUMBER.test(token)) throw new Broken('the value is not a number');
    if (!/n/i.test(token)) return Number(token);
    if (/nan/i.test(token)) return Number.NaN;
    return token.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  #timestamp(): void {
    this.#match(BLANK);
    if (this.#next() === '#') return;
    const token = this.#match(TOKEN);
    if (token !== undefined && !TIMESTAMP.test(token)) throw new Broken('the timestamp is not a number');
  }

  #exemplar(): void {
    this.#match(BLANK);
    if (this.#next() === undefined) return;
    if (this.#next() !== '#') throw new Broken('there is text after the timestamp');
    this.#at += 1;
    this.#match(BLANK);
    if (this.#next() !== '{') throw new Broken('the exemplar is malformed');
    this.#labels({ mayHoldName: false });
    this.#value();
    this.#timestamp();
    this.#match(BLANK);
    if (this.#next() !== undefined) throw new Broken('there is text after the exemplar');
  }

  #next(): string | undefined {
    return this.#line[this.#at];
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line)?.[0];
    if (found === undefined || found === '') return undefined;
    this.#at += found.length;
    return found;
  }
}
