import type { Identity } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { readable } from '../byte-text.ts';
import type { FileCollection, IdentityField } from './compile-files.ts';
import { findPaths, type Turns } from './find-paths.ts';
import type { OpenFolder } from './open-root.ts';
import { type PathPattern, valuesIn } from './path-pattern.ts';
import { searchPlans, type Values, writtenAs } from './search-plan.ts';

/** A file of the person. */
export interface FoundFile {
  /** Byte text, relative to the root. */
  readonly path: string;
  /** How many folders of it from the root on are not the person's own. */
  readonly common: number;
  readonly isDerived: boolean;
}

export interface FindOptions {
  readonly root: OpenFolder;
  readonly collection: FileCollection;
  readonly identities: readonly Identity[];
  readonly turns: Turns;
}

/**
 * The person's files, those that were derived from a file right before it. Throws SCHEMA_MISMATCH where a path can be read in several
 * ways, so that it may be somebody else's, and where a path names several identities of which the request has some only.
 */
export async function* findFiles(options: FindOptions): AsyncGenerator<FoundFile> {
  const { root, collection, turns } = options;
  const seen = new Set<string>();
  for (const pattern of collection.paths) {
    const search = valuesFor(pattern, options);
    if (search === undefined) continue;
    for (const plan of searchPlans(pattern, search.values)) {
      for await (const path of findPaths(root, plan, turns)) {
        if (seen.has(path) || !isSurely(search, { collection, pattern, path })) continue;
        seen.add(path);
        yield* derivedFrom(path, options, seen);
        yield { path, common: plan.common, isDerived: false };
      }
    }
  }
  // Such files are found after what they were made from is gone, too.
  for (const pattern of collection.derived) {
    const search = valuesFor(pattern, options);
    if (search === undefined) continue;
    for (const plan of searchPlans(pattern, search.values)) {
      for await (const path of findPaths(root, plan, turns)) {
        if (seen.has(path) || !isSurely(search, { collection, pattern, path })) continue;
        seen.add(path);
        yield { path, common: plan.common, isDerived: true };
      }
    }
  }
}

async function* derivedFrom(
  source: string,
  options: FindOptions,
  seen: Set<string>,
): AsyncGenerator<FoundFile> {
  const { root, collection, turns } = options;
  for (const pattern of collection.derived) {
    const parts = partsOf(source);
    const wanted = [...parts].filter(([name]) => pattern.fields.has(name));
    if (wanted.length === 0) continue;
    const values = new Map(wanted.map(([name, value]) => [name, [value]]));
    // A folder may be several: it is put in as it is written.
    const whole = inFolders(pattern);
    for (const plan of searchPlans(whole, values)) {
      for await (const path of findPaths(root, plan, turns)) {
        if (seen.has(path)) continue;
        for (const [name, value] of wanted)
          refuseDoubt(collection, whole, { path, name, isFit: (one) => one === value });
        seen.add(path);
        yield { path, common: path.split('/').length, isDerived: true };
      }
    }
  }
}

/** `{path}` and `{dir}` stand for several folders. */
function inFolders(pattern: PathPattern): PathPattern {
  const tokens = pattern.tokens.map((token) =>
    token.kind === 'field' && (token.name === 'path' || token.name === 'dir')
      ? { ...token, class: 'path' as const }
      : token,
  );
  return { ...pattern, tokens };
}

function partsOf(path: string): ReadonlyMap<string, string> {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const dot = name.lastIndexOf('.');
  return new Map([
    ['path', path],
    ['dir', slash < 0 ? '' : path.slice(0, slash)],
    ['name', name],
    ['stem', dot <= 0 ? name : name.slice(0, dot)],
  ]);
}

interface Search {
  readonly values: Values;
  /** Compared without case after the file is found, because names of files have a case. */
  readonly folded: ReadonlyMap<string, ReadonlySet<string>>;
  readonly fields: readonly IdentityField[];
}

/** Undefined where the request has none of the identities that the pattern names. */
function valuesFor(pattern: PathPattern, { collection, identities }: FindOptions): Search | undefined {
  const fields = collection.identities.filter(({ name }) => pattern.fields.has(name));
  const given = fields.map((field) =>
    identities.filter(({ type }) => type === field.type).map(({ value }) => value),
  );
  if (given.every((values) => values.length === 0)) return undefined;
  const missing = fields.filter((_, index) => given[index]?.length === 0);
  if (missing.length > 0) {
    const types = missing.map(({ type }) => type).join(' and ');
    throw new HabeasError(
      'SCHEMA_MISMATCH',
      `Files of "${collection.name}" are named by several identities together, and the request has no ${types}. Give it, or let another system resolve it; nothing was changed.`,
    );
  }
  const values = new Map<string, readonly string[]>();
  const folded = new Map<string, ReadonlySet<string>>();
  for (const [index, { name, match }] of fields.entries()) {
    const own = given[index] ?? [];
    if (match === 'case-insensitive') folded.set(name, new Set(own.map(fold)));
    else values.set(name, own.flatMap(writtenAs));
  }
  return { values, folded, fields };
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** Whether the path is the person's; throws where it may be another one's. */
function isSurely(
  search: Search,
  {
    collection,
    pattern,
    path,
  }: { readonly collection: FileCollection; readonly pattern: PathPattern; readonly path: string },
): boolean {
  return search.fields.every(({ name }) => {
    const folded = search.folded.get(name);
    const exact = new Set(search.values.get(name));
    const isFit = (value: string) =>
      folded === undefined ? exact.has(value) : folded.has(fold(readable(value)));
    return refuseDoubt(collection, pattern, { path, name, isFit });
  });
}

/** Whether the placeholder's value fits; throws where one way to read the path fits and another does not. */
function refuseDoubt(
  collection: FileCollection,
  pattern: PathPattern,
  read: { readonly path: string; readonly name: string; readonly isFit: (value: string) => boolean },
): boolean {
  const values = [...valuesIn(pattern, read.path, read.name)];
  const fitting = values.filter(read.isFit).length;
  if (fitting === 0 || fitting === values.length) return fitting > 0;
  throw new HabeasError(
    'SCHEMA_MISMATCH',
    `A path of "${collection.name}" can be read in several ways by "${pattern.text}", so that it may be somebody else's; nothing was changed. Say what {${read.name}} and its neighbours are made of, such as {${read.name}:digits}.`,
  );
}
