import { accessSync, constants, type Stats } from 'node:fs';
import { bytesOf } from '../byte-text.ts';
import { isDenied } from './file-system.ts';
import { findThings, Turns } from './find-paths.ts';
import { OpenFolder } from './open-root.ts';
import type { PathPattern } from './path-pattern.ts';
import { searchPlans } from './search-plan.ts';

const CHECK_MILLISECONDS = 30_000;

/** Says what this user may not do in the place of a file or with it, in a few words; undefined: nothing is lacking. */
export type Look = (at: {
  readonly stat: Stats;
  /** Whether the file, or the folder that it lies in, may be used so. */
  readonly may: (what: 'file' | 'folder', mode: number) => boolean;
}) => string | undefined;

export interface ActedOn {
  readonly collection: string;
  readonly patterns: readonly PathPattern[];
  /** Of files that something else is done with. (Default: none) */
  readonly except?: readonly PathPattern[];
  readonly look: Look;
}

/**
 * What this user would need to be allowed, found out before anybody asks: a line for each thing that is lacking in a collection, with how many
 * files or folders it is about. No paths, because they may name people.
 */
export async function missingRights(
  path: string,
  collections: readonly ActedOn[],
): Promise<readonly string[]> {
  using root = OpenFolder.root(path);
  const turns = new Turns(AbortSignal.timeout(CHECK_MILLISECONDS));
  const lines: string[] = [];
  for (const { collection, patterns, except = [], look } of collections) {
    const counts = new Map<string, number>();
    const add = (lack: string) => counts.set(lack, (counts.get(lack) ?? 0) + 1);
    const folders = new Map<string, boolean>();
    const seen = new Set<string>();
    const onClosed = () => add('folders may not be looked into by this user');
    for (const plan of plansOf(except))
      for await (const { path } of findThings({ root, plan, turns, onClosed: () => undefined }))
        seen.add(path);
    for (const plan of plansOf(patterns))
      for await (const found of findThings({ root, plan, turns, onClosed })) {
        if (seen.has(found.path)) continue;
        seen.add(found.path);
        const parent = found.path.slice(0, found.path.lastIndexOf('/') + 1);
        const lack = look({
          stat: found.stat,
          may(what, mode) {
            if (what === 'file') return isAllowed(root.pathTo(found.path), mode);
            const name = `${mode} ${parent}`;
            const known = folders.get(name) ?? isAllowed(root.pathTo(parent === '' ? '.' : parent), mode);
            folders.set(name, known);
            return known;
          },
        });
        if (lack !== undefined) add(lack);
      }
    for (const [lack, count] of counts) lines.push(`"${collection}": ${count} ${lack}.`);
  }
  return lines;
}

function plansOf(patterns: readonly PathPattern[]) {
  return patterns.flatMap((pattern) => searchPlans(pattern, new Map()));
}

/** What is gone is allowed: it lacks nothing. */
function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(bytesOf(path), mode);
    return true;
  } catch (error) {
    return !isDenied(error);
  }
}

const CHANGE_FOLDER = constants.W_OK | constants.X_OK;

/** For files that are removed. */
export const toRemove: Look = ({ may }) =>
  may('folder', CHANGE_FOLDER)
    ? undefined
    : 'files lie in folders that this user may not write, so that they cannot be removed';

/** For files that are written anew beside themselves, with the same owner. */
export const toRewrite: Look = ({ stat, may }) => {
  if (!may('file', constants.R_OK)) return 'files may not be read by this user';
  if (!may('folder', CHANGE_FOLDER))
    return 'files lie in folders that this user may not write, so that they cannot be written anew';
  const own = process.geteuid?.();
  return own === 0 || own === stat.uid
    ? undefined
    : 'files belong to other users, so that this one cannot write them anew with their owner';
};

/** For files that are overwritten where they lie. */
export const toOverwrite: Look = ({ may }) =>
  may('file', constants.R_OK | constants.W_OK)
    ? undefined
    : 'files that are written to now may not be read and written by this user';
