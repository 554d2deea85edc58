import { byteText } from '../byte-text.ts';

export type KeyToken =
  /** Byte text. */
  | { readonly kind: 'literal'; readonly text: string }
  /** `*`: no separator in it; `**`: anything. */
  | { readonly kind: 'any'; readonly within: 'part' | 'whole' }
  | { readonly kind: 'field'; readonly name: string };

/** A pattern of keys, fields or members, such as `session:{user_id}:*`. */
export interface KeyPattern {
  readonly text: string;
  readonly tokens: readonly KeyToken[];
  /** The names of its placeholders. */
  readonly fields: ReadonlySet<string>;
}

/** Reads a pattern. Gives in words what is wrong with it. */
export function parseKeyPattern(text: string): KeyPattern | { readonly problem: string } {
  const problem = (what: string) => ({ problem: `The pattern "${text}" ${what}.` });
  const tokens: KeyToken[] = [];
  for (const [part] of text.matchAll(/\{[^{}]*\}|\*\*|\*|[^{}*]+|./gsu)) {
    if (part === '*' || part === '**') tokens.push({ kind: 'any', within: part === '*' ? 'part' : 'whole' });
    else if (part === '{' || part === '}') return problem('has a brace without its other half');
    else if (part.startsWith('{')) {
      const [, name] = /^\{([A-Za-z_][\w.]*)\}$/.exec(part) ?? [];
      if (name === undefined) return problem(`has ${part}, which is no placeholder`);
      tokens.push({ kind: 'field', name });
    } else tokens.push({ kind: 'literal', text: byteText(part) });
  }
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (next !== undefined && token.kind !== 'literal' && next.kind !== 'literal')
      return problem(
        'has a placeholder or * beside another: what belongs to somebody else would fit too. Put the separator between them that the keys have',
      );
  }
  const fields = tokens.flatMap((token) => (token.kind === 'field' ? [token.name] : []));
  return { text, tokens, fields: new Set(fields) };
}

/** The values of a placeholder. */
export interface FieldValues {
  /** Byte text. */
  readonly values: readonly string[];
  readonly match: 'exact' | 'case-insensitive';
}

/** What to look for: names that are known, or all that the store finds by a glob, of which those that fit are meant. */
export type KeySearch =
  | { readonly kind: 'exact'; readonly names: readonly string[] }
  | { readonly kind: 'fitting'; readonly glob: string; readonly fits: RegExp };

/** More combinations of values are looked for by an expression. */
const MOST_NAMES = 10_000;

/** How to look for what a pattern means with these values. Undefined: a placeholder has no value, so that it names nobody. */
export function searchFor(
  { tokens }: KeyPattern,
  fields: ReadonlyMap<string, FieldValues>,
): KeySearch | undefined {
  for (const token of tokens)
    if (token.kind === 'field' && (fields.get(token.name)?.values.length ?? 0) === 0) return undefined;
  const names = namesOf(tokens, fields);
  if (names !== undefined) return { kind: 'exact', names };
  const source = tokens.map((_, index) => sourceAt(tokens, index, fields)).join('');
  const glob = tokens.map((token) => globOf(token, fields)).join('');
  return { kind: 'fitting', glob, fits: new RegExp(`^${source}$`, 's') };
}

function namesOf(
  tokens: readonly KeyToken[],
  fields: ReadonlyMap<string, FieldValues>,
): readonly string[] | undefined {
  let names: readonly string[] = [''];
  for (const token of tokens) {
    if (token.kind === 'any') return undefined;
    const own = token.kind === 'field' ? fields.get(token.name) : undefined;
    if (own?.match === 'case-insensitive') return undefined;
    const parts = token.kind === 'literal' ? [token.text] : (own?.values ?? []);
    if (names.length * parts.length > MOST_NAMES) return undefined;
    names = names.flatMap((name) => parts.map((part) => name + part));
  }
  return names;
}

function sourceAt(
  tokens: readonly KeyToken[],
  index: number,
  fields: ReadonlyMap<string, FieldValues>,
): string {
  const token = tokens[index];
  if (token === undefined) return '';
  if (token.kind === 'literal') return escaped(token.text);
  if (token.kind === 'field') {
    const { values, match } = fields.get(token.name) ?? { values: [], match: 'exact' };
    return `(?:${values.map((value) => (match === 'exact' ? escaped(value) : inAnyCase(value))).join('|')})`;
  }
  if (token.within === 'whole') return '.*';
  /*
   *     cart-{user_id}-*   over   cart-1-2-open
   *                               this cart is of 1-2 and not of 1: what separates may not be in a `*`
   */
  const [before, after] = [tokens[index - 1], tokens[index + 1]];
  const separators = new Set(':');
  if (before?.kind === 'literal') separators.add(before.text.at(-1) ?? '');
  if (after?.kind === 'literal') separators.add(after.text.at(0) ?? '');
  return `[^${[...separators].map(escaped).join('')}]*`;
}

/** What the store itself can tell apart: as much of the pattern as has one meaning. */
function globOf(token: KeyToken, fields: ReadonlyMap<string, FieldValues>): string {
  if (token.kind === 'any') return '*';
  if (token.kind === 'literal') return globEscaped(token.text);
  const { values, match } = fields.get(token.name) ?? { values: [], match: 'exact' };
  const [only] = values;
  return only !== undefined && values.length === 1 && match === 'exact' ? globEscaped(only) : '*';
}

function globEscaped(text: string): string {
  return text.replaceAll(/[\\*?[\]^-]/g, '\\$&');
}

/** RegExp.escape of ASCII; byte text has no other characters that mean something. */
function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function inAnyCase(text: string): string {
  return [...text]
    .map((one) => {
      const [lower, upper] = [one.toLowerCase(), one.toUpperCase()];
      return /[a-z]/.test(lower) ? `[${lower}${upper}]` : escaped(one);
    })
    .join('');
}
