import type { Identity } from '../../catalog/index.ts';
import { byteText, readable } from '../byte-text.ts';
import { classSource, type PathPattern, withoutFolders } from '../files/path-pattern.ts';
import { isSurely, type NamedCollection, type PathSearch, valuesFor } from '../files/path-values.ts';
import type { Values } from '../files/search-plan.ts';

/** Which keys of a bucket are meant, and where to list them. */
export interface KeyFilter {
  /** None begins another, so that nothing is listed twice. */
  readonly prefixes: readonly string[];
  /** Throws SCHEMA_MISMATCH where a key can be read in several ways, so that it may be somebody else's. */
  fits(key: string): boolean;
}

const NO_VALUES: Values = new Map();

/** Keys that fit one of the patterns, whoever's they are. */
export function keysOf(patterns: readonly PathPattern[]): KeyFilter {
  return filterOf(patterns.flatMap(withoutFolders).map((pattern) => ({ pattern, values: NO_VALUES })));
}

/** Keys that name the person; undefined where the request has none of the identities that they name. */
export function keysOfPerson(
  patterns: readonly PathPattern[],
  collection: NamedCollection,
  identities: readonly Identity[],
): KeyFilter | undefined {
  const parts = patterns.flatMap(withoutFolders).flatMap((pattern) => {
    const search = valuesFor(pattern, { collection, identities });
    return search === undefined ? [] : [{ pattern, values: search.values, search, collection }];
  });
  return parts.length === 0 ? undefined : filterOf(parts);
}

interface Part {
  readonly pattern: PathPattern;
  readonly values: Values;
  readonly search?: PathSearch;
  readonly collection?: NamedCollection;
}

function filterOf(parts: readonly Part[]): KeyFilter {
  const prefixes = [...new Set(parts.flatMap(prefixesOf))].sort();
  const expressions = parts.map(({ pattern, values }) => {
    const source = pattern.tokens.map((token) => sourceOf(token, values)).join('');
    return new RegExp(`^${source}$`, 's');
  });
  return {
    prefixes: prefixes
      .filter((one, at) => !prefixes.slice(0, at).some((other) => one.startsWith(other)))
      .map(readable),
    fits(key) {
      const path = byteText(key);
      return parts.some(
        ({ pattern, search, collection }, at) =>
          expressions[at]?.test(path) === true &&
          (search === undefined ||
            collection === undefined ||
            isSurely(search, { collection, pattern, path })),
      );
    },
  };
}

type Token = PathPattern['tokens'][number];

function sourceOf(token: Token, values: Values): string {
  switch (token.kind) {
    case 'literal':
      return escapeText(token.text);
    case 'star':
      return '[^/]*';
    case 'folders':
      return '.*';
    case 'field': {
      const known = values.get(token.name);
      return known === undefined ? classSource(token.class) : `(?:${known.map(escapeText).join('|')})`;
    }
    default:
      return token satisfies never;
  }
}

/** Byte text has no other characters that mean something in an expression. */
function escapeText(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** More beginnings than that are listed together. */
const MOST_PREFIXES = 1_000;

/** What a key begins with, up to the first thing that can be anything; with each of the values that are known. Byte text. */
function prefixesOf({ pattern, values }: Part): readonly string[] {
  let prefixes: readonly string[] = [''];
  for (const token of pattern.tokens) {
    const texts =
      token.kind === 'literal' ? [token.text] : token.kind === 'field' ? values.get(token.name) : undefined;
    if (texts === undefined || prefixes.length * texts.length > MOST_PREFIXES) break;
    prefixes = prefixes.flatMap((prefix) => texts.map((text) => prefix + text));
  }
  return prefixes;
}
