import { byteText } from '../byte-text.ts';
import { classSource, type PathPattern, type PatternToken, segmentsOf } from './path-pattern.ts';

/** One folder or file on the way: known names, names that fit an expression, or any number of folders. */
export type Step =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'fitting'; readonly fits: RegExp }
  | { readonly kind: 'folders' };

export interface SearchPlan {
  readonly steps: readonly Step[];
  /** How many folders from the root on are not the person's own: what is below may go when it is empty. */
  readonly common: number;
}

/** Values of placeholders, as byte text. A placeholder that is not here stands for anything. */
export type Values = ReadonlyMap<string, readonly string[]>;

/** More combinations of values in one name are looked for by an expression. */
const MOST_NAMES = 10_000;

/**
 * How to look for the paths of a pattern with these values. Names that are known are opened directly, and no folder is read for them. A
 * value that cannot be a name, such as `..` or one with a slash in it, leads nowhere.
 */
export function searchPlans(pattern: PathPattern, values: Values): readonly SearchPlan[] {
  const paths = pattern.tokens.find((token) => token.kind === 'field' && token.class === 'path');
  const known = paths?.kind === 'field' ? values.get(paths.name) : undefined;
  if (paths?.kind !== 'field' || known === undefined) {
    const plan = onePlan(pattern.tokens, values);
    return plan === undefined ? [] : [plan];
  }
  // A value over several folders is put in as it is, and the pattern is looked for once for each.
  return known.flatMap((value) => {
    const inserted = value
      .split('/')
      .flatMap((text, index): readonly PatternToken[] => [
        ...(index === 0 ? [] : [{ kind: 'literal' as const, text: '/' }]),
        { kind: 'literal', text },
      ]);
    const tokens = pattern.tokens.flatMap((token) =>
      token.kind === 'field' && token.name === paths.name ? inserted : [token],
    );
    const plan = onePlan(tokens, values);
    return plan === undefined ? [] : [{ ...plan, common: Math.max(0, plan.steps.length - 1) }];
  });
}

function onePlan(tokens: readonly PatternToken[], values: Values): SearchPlan | undefined {
  const segments = segmentsOf(tokens);
  const own = segments.findIndex((segment) =>
    segment.some((token) => token.kind === 'field' && values.has(token.name)),
  );
  const steps = segments.map((segment) => stepOf(segment, values));
  if (steps.some((step) => step.kind === 'names' && step.names.length === 0)) return undefined;
  return { steps, common: own < 0 ? segments.length : own };
}

function stepOf(segment: readonly PatternToken[], values: Values): Step {
  if (segment.some(({ kind }) => kind === 'folders')) return { kind: 'folders' };
  const names = namesOf(segment, values);
  if (names !== undefined) return { kind: 'names', names: names.filter(isName) };
  const source = segment.map((token) => sourceOf(token, values)).join('');
  return { kind: 'fitting', fits: new RegExp(`^${source}$`, 's') };
}

/** All names of a segment; undefined where something in it stands for anything. */
function namesOf(segment: readonly PatternToken[], values: Values): readonly string[] | undefined {
  let names: readonly string[] = [''];
  for (const token of segment) {
    const parts =
      token.kind === 'literal' ? [token.text] : token.kind === 'field' ? values.get(token.name) : undefined;
    if (parts === undefined || names.length * parts.length > MOST_NAMES) return undefined;
    names = names.flatMap((name) => parts.map((part) => name + part));
  }
  return names;
}

function sourceOf(token: PatternToken, values: Values): string {
  if (token.kind === 'literal') return escapeText(token.text);
  if (token.kind !== 'field') return '[^/]*';
  const known = values.get(token.name);
  return known === undefined ? classSource(token.class) : `(?:${known.map(escapeText).join('|')})`;
}

/** RegExp.escape of ASCII; byte text has no other characters that mean something. */
function escapeText(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

const COMBINED = ['NFC', 'NFD'] as const;

/** A value as names of files may have it: composed and decomposed, because systems differ. */
export function writtenAs(value: string): readonly string[] {
  return [...new Set([value, ...COMBINED.map((form) => value.normalize(form))])].map(byteText);
}
