import { readable } from './byte-text.ts';

/** A value in a text of JSON. */
export interface JsonValue {
  /** Which of the paths leads to it. */
  readonly path: number;
  readonly from: number;
  /** Behind it. */
  readonly to: number;
}

/** More levels than data has; deeper ones are made to break readers. */
const MOST_DEPTH = 512;

/**
 * Tells where the values at some paths stand, in the order of the text, all of them where a member or an element repeats. Lists on the way
 * are looked through. Throws a SyntaxError for what is no JSON (RFC 8259), after what stands before that was told.
 *
 * The text is byte text, so that places in it are places in the file.
 *
 *     paths [["user","id"]] in {"user":[{"id":7},{"id":"8"}]}   →   7 and "8"
 */
export function* jsonValues(text: string, paths: readonly (readonly string[])[]): Generator<JsonValue, void> {
  const walk = new Walk(text);
  const all = paths.map((_, path) => ({ path, depth: 0 }));
  yield* walk.value(paths, all, 0);
  walk.end();
}

/** A path, and how much of it leads to where we are. */
interface Way {
  readonly path: number;
  readonly depth: number;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
// Without quantified groups, which would go as deep as the text is long.
const STRING_END = /["\\]/g;

class Walk {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  *value(
    paths: readonly (readonly string[])[],
    ways: readonly Way[],
    level: number,
  ): Generator<JsonValue, void> {
    if (level > MOST_DEPTH) throw new SyntaxError('It is nested too deep.');
    this.#space();
    const from = this.#at;
    const first = this.#text[from];
    if (first === '{') yield* this.#object(paths, ways, level);
    else if (first === '[') yield* this.#list(paths, ways, level);
    else {
      if (first === '"') this.#string();
      else
        this.#match(first === '-' || (first !== undefined && first >= '0' && first <= '9') ? NUMBER : WORD);
      for (const { path, depth } of ways)
        if (depth === paths[path]?.length) yield { path, from, to: this.#at };
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw new SyntaxError('Something stands behind the value.');
  }

  *#object(
    paths: readonly (readonly string[])[],
    ways: readonly Way[],
    level: number,
  ): Generator<JsonValue, void> {
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#space();
      const from = this.#at;
      this.#string();
      const name: string = JSON.parse(readable(this.#text.slice(from, this.#at)));
      this.#space();
      this.#take(':');
      const further = ways
        .filter(({ path, depth }) => paths[path]?.[depth] === name)
        .map(({ path, depth }) => ({ path, depth: depth + 1 }));
      yield* this.value(paths, further, level + 1);
      this.#space();
      if (this.#text[this.#at] !== ',') break;
      this.#at += 1;
    }
    this.#take('}');
  }

  *#list(
    paths: readonly (readonly string[])[],
    ways: readonly Way[],
    level: number,
  ): Generator<JsonValue, void> {
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at += 1;
      return;
    }
    for (;;) {
      yield* this.value(paths, ways, level + 1);
      this.#space();
      if (this.#text[this.#at] !== ',') break;
      this.#at += 1;
    }
    this.#take(']');
  }

  #string(): void {
    this.#take('"');
    for (;;) {
      STRING_END.lastIndex = this.#at;
      const found = STRING_END.exec(this.#text);
      if (found === null) throw new SyntaxError('A text does not end.');
      this.#at = STRING_END.lastIndex;
      if (found[0] === '"') return;
      this.#at += 1;
    }
  }

  #match(expression: RegExp): void {
    expression.lastIndex = this.#at;
    if (!expression.test(this.#text)) throw new SyntaxError('A value is missing.');
    this.#at = expression.lastIndex;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #take(character: string): void {
    if (this.#text[this.#at] !== character) throw new SyntaxError(`There is no ${character}.`);
    this.#at += 1;
  }
}
