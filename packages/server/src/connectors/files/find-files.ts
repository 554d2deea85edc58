import type { Identity } from '../../catalog/index.ts';
import type { FileCollection } from './compile-files.ts';
import { findPaths, type Turns } from './find-paths.ts';
import type { OpenFolder } from './open-root.ts';
import type { PathPattern } from './path-pattern.ts';
import { isSurely, refuseDoubt, valuesFor } from './path-values.ts';
import { searchPlans } from './search-plan.ts';

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
export function inFolders(pattern: PathPattern): PathPattern {
  const tokens = pattern.tokens.map((token) =>
    token.kind === 'field' && (token.name === 'path' || token.name === 'dir')
      ? { ...token, class: 'path' as const }
      : token,
  );
  return { ...pattern, tokens };
}

/** What patterns of derived files may name of the file that they are made from. */
export function partsOf(path: string): ReadonlyMap<string, string> {
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
