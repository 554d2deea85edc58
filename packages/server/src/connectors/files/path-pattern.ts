import { byteText } from '../byte-text.ts';

/** What a placeholder stands for: part of a name, some kind of characters of it, or a path over several folders. */
export type PlaceholderClass = 'any' | 'digits' | 'hex' | 'word' | 'path';

export type PatternToken =
  /** Byte text without a slash, or `/`. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'star' }
  /** `**`: any number of folders. */
  | { readonly kind: 'folders' }
  | { readonly kind: 'field'; readonly name: string; readonly class: PlaceholderClass };

/** A pattern of paths relative to a root, such as `avatars/{user_id}_*.jpg`. */
export interface PathPattern {
  readonly text: string;
  readonly tokens: readonly PatternToken[];
  /** The names of its placeholders. */
  readonly fields: ReadonlySet<string>;
}

const CLASSES: Readonly<Record<string, PlaceholderClass>> = {
  digits: 'digits',
  hex: 'hex',
  word: 'word',
  '**': 'path',
};

/** Reads a pattern. Gives in words what is wrong with it. */
export function parsePattern(text: string): PathPattern | { readonly problem: string } {
  const problem = (what: string) => ({ problem: `The path pattern "${text}" ${what}.` });
  if (text.startsWith('/')) return problem('begins with a slash; patterns are relative to the root');
  const tokens: PatternToken[] = [];
  for (const [part] of text.matchAll(/\{[^{}]*\}|\*\*|\*|\/|[^{}*/]+|./gsu)) {
    if (part === '**') tokens.push({ kind: 'folders' });
    else if (part === '*') tokens.push({ kind: 'star' });
    else if (part === '{' || part === '}') return problem('has a brace without its other half');
    else if (part.startsWith('{')) {
      const [, name, kind] = /^\{([A-Za-z_][\w.]*)(?::([a-z*]+))?\}$/.exec(part) ?? [];
      const known = kind === undefined ? 'any' : CLASSES[kind];
      if (name === undefined || known === undefined) return problem(`has ${part}, which is no placeholder`);
      tokens.push({ kind: 'field', name, class: known });
    } else tokens.push({ kind: 'literal', text: byteText(part) });
  }
  const segments = segmentsOf(tokens);
  for (const segment of segments) {
    if (segment.length === 0) return problem('has an empty name between two slashes');
    const [only] = segment;
    if (segment.length > 1 && segment.some(({ kind }) => kind === 'folders'))
      return problem('has ** beside other characters; it stands for whole folders');
    if (only?.kind === 'literal' && segment.length === 1 && /^\.\.?$/.test(only.text))
      return problem('has a . or .. folder; name files below the root directly');
  }
  if (tokens.filter(({ kind }) => kind === 'folders').length > 1) return problem('has ** more than once');
  const fields = tokens.flatMap((token) => (token.kind === 'field' ? [token.name] : []));
  return { text, tokens, fields: new Set(fields) };
}

/** The tokens between slashes. */
export function segmentsOf(tokens: readonly PatternToken[]): readonly (readonly PatternToken[])[] {
  const segments: PatternToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind === 'literal' && token.text === '/') segments.push([]);
    else segments.at(-1)?.push(token);
  }
  return segments;
}

const ACCEPTS: Readonly<Record<PlaceholderClass, RegExp>> = {
  any: /^[^/]$/s,
  digits: /^[0-9]$/,
  hex: /^[0-9A-Fa-f]$/,
  word: /^[0-9A-Za-z\x80-\xff]$/,
  path: /^.$/s,
};

/** The source of a regular expression for one placeholder. */
export function classSource(kind: PlaceholderClass): string {
  return { any: '[^/]+', digits: '[0-9]+', hex: '[0-9A-Fa-f]+', word: '[0-9A-Za-z\\x80-\\xff]+', path: '.+' }[
    kind
  ];
}

/**
 * All values that a placeholder can have where the pattern fits the path: more than one where the path can be read in several ways.
 *
 *     `{user_id}_{n}.jpg` over `a_b_1.jpg`:  user_id is `a` or `a_b`
 *
 * Places that are reached from the left and from the right, token by token: quadratic in the path at worst, and never exponential.
 */
export function valuesIn(pattern: PathPattern, path: string, field: string): ReadonlySet<string> {
  const [one, ...other] = withoutFolders(pattern).map(({ tokens }) => valuesOf(tokens, path, field));
  return other.reduce((all, more) => all.union(more), one ?? new Set<string>());
}

/** `**` and its slash may stand for no folder at all; then the pattern is one without them. */
export function withoutFolders(pattern: PathPattern): readonly PathPattern[] {
  const at = pattern.tokens.findIndex(({ kind }) => kind === 'folders');
  const next = pattern.tokens[at + 1];
  if (at < 0 || next === undefined) return [pattern];
  return [pattern, { ...pattern, tokens: pattern.tokens.toSpliced(at, 2) }];
}

function valuesOf(tokens: readonly PatternToken[], path: string, field: string): ReadonlySet<string> {
  const fromLeft: ReadonlySet<number>[] = [new Set([0])];
  for (const token of tokens) {
    const next = new Set<number>();
    for (const at of fromLeft.at(-1) ?? []) for (const end of endsOf(token, path, at)) next.add(end);
    fromLeft.push(next);
  }
  const values = new Set<string>();
  let fits: ReadonlySet<number> = new Set([path.length]);
  for (let index = tokens.length - 1; index >= 0; index -= 1) {
    const token = tokens[index];
    const before = new Set<number>();
    if (token === undefined) continue;
    for (const at of fromLeft[index] ?? []) {
      for (const end of endsOf(token, path, at)) {
        if (!fits.has(end)) continue;
        before.add(at);
        if (token.kind === 'field' && token.name === field) values.add(path.slice(at, end));
      }
    }
    fits = before;
  }
  return values;
}

/** Where a token that begins at `at` may end. */
function endsOf(token: PatternToken, path: string, at: number): readonly number[] {
  switch (token.kind) {
    case 'literal':
      return path.startsWith(token.text, at) ? [at + token.text.length] : [];
    case 'star':
      return runOf(path, at, { accepts: ACCEPTS.any, least: 0 });
    case 'folders':
      return runOf(path, at, { accepts: ACCEPTS.path, least: 0 });
    case 'field':
      return runOf(path, at, { accepts: ACCEPTS[token.class], least: 1 });
    default:
      return token satisfies never;
  }
}

function runOf(
  path: string,
  at: number,
  run: { readonly accepts: RegExp; readonly least: number },
): readonly number[] {
  const ends: number[] = run.least === 0 ? [at] : [];
  for (let end = at; end < path.length && run.accepts.test(path[end] ?? ''); end += 1) ends.push(end + 1);
  return ends;
}
