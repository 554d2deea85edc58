import { findPaths, Turns } from '../files/find-paths.ts';
import type { OpenFolder } from '../files/open-root.ts';
import type { PathPattern } from '../files/path-pattern.ts';
import { searchPlans } from '../files/search-plan.ts';
import type { LogCollection } from './compile-logs.ts';
import { UNFINISHED } from './unfinished.ts';

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
