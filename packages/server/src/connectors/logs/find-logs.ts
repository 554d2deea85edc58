import { Place } from '../files/erase-files.ts';
import { findPaths, Turns } from '../files/find-paths.ts';
import type { OpenFolder } from '../files/open-root.ts';
import type { PathPattern } from '../files/path-pattern.ts';
import { searchPlans } from '../files/search-plan.ts';
import type { LogCollection } from './compile-logs.ts';
import { UNFINISHED } from './rewrite.ts';

/** A log file of a collection. */
export interface LogName {
  /** Byte text, relative to the root. */
  readonly path: string;
  readonly isLive: boolean;
}

/** The files of a collection as they are now, each once; what was left unfinished is none. */
export async function logNames(
  root: OpenFolder,
  collection: LogCollection,
  signal: AbortSignal,
): Promise<readonly LogName[]> {
  const live = new Set(await pathsOf(root, collection.live, signal));
  const all = new Set([...(await pathsOf(root, collection.paths, signal)), ...live]);
  return [...all]
    .filter((path) => !path.endsWith(UNFINISHED))
    .map((path) => ({ path, isLive: live.has(path) }));
}

/** What was left behind by a process that ended while it wrote a file anew. */
export async function unfinishedNames(
  root: OpenFolder,
  collection: LogCollection,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const pattern of collection.paths) {
    const tokens = [
      ...pattern.tokens,
      { kind: 'literal' as const, text: '.' },
      { kind: 'star' as const },
      { kind: 'literal' as const, text: UNFINISHED },
    ];
    for (const path of await pathsOf(root, [{ ...pattern, tokens }], signal)) found.add(path);
  }
  return [...found];
}

async function pathsOf(
  root: OpenFolder,
  patterns: readonly PathPattern[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const pattern of patterns)
    for (const plan of searchPlans(pattern, new Map()))
      for await (const path of findPaths(root, plan, new Turns(signal))) paths.push(path);
  return paths;
}

/** The folder of a file, held open, and the file's name in it. Undefined: the folder is gone. */
export function placeOf(root: OpenFolder, path: string): { readonly place: Place; readonly name: string } {
  const [name = '', ...folders] = path.split('/').reverse();
  return { place: new Place(root, folders.reverse()), name };
}
