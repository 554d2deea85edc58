import type { Stats } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OpenFolder } from './open-root.ts';
import type { SearchPlan, Step } from './search-plan.ts';

/** After this time other work has its turn. */
const SLICE_MILLISECONDS = 10;

/** Lets other work have its turn now and then, and ends when the signal says so. */
export class Turns {
  readonly #signal: AbortSignal;
  #since = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.throwIfAborted();
  }

  async next(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MILLISECONDS) return;
    await nextTurn();
    this.#signal.throwIfAborted();
    this.#since = performance.now();
  }
}

/** The paths, as byte text, of files and links that a plan leads to. Folders are not among them, and links are not followed. */
export async function* findPaths(root: OpenFolder, plan: SearchPlan, turns: Turns): AsyncGenerator<string> {
  for await (const { path } of findThings({ root, plan, turns })) yield path;
}

/** What is at a path that a plan leads to. */
export interface FoundPath {
  readonly path: string;
  /** Of the file or link itself. */
  readonly stat: Stats;
}

/** The same with what the file system says of each. Throws for a folder that cannot be read, unless somebody hears of it. */
export async function* findThings(search: {
  readonly root: OpenFolder;
  readonly plan: SearchPlan;
  readonly turns: Turns;
  /** Hears the path, as byte text, of each folder that Habeas may not look into; the search goes on beside it. */
  readonly onClosed?: (path: string) => void;
}): AsyncGenerator<FoundPath> {
  const { root, plan, turns, onClosed } = search;
  const [first, ...rest] = plan.steps;
  if (first !== undefined) yield* walk({ folder: root, at: '', turns, onClosed }, first, rest);
}

interface Place {
  readonly folder: OpenFolder;
  /** The folder's path with a slash behind it; empty at the root. */
  readonly at: string;
  readonly turns: Turns;
  readonly onClosed: ((path: string) => void) | undefined;
}

async function* walk(place: Place, step: Step, rest: readonly Step[]): AsyncGenerator<FoundPath> {
  const { folder, at, turns } = place;
  await turns.next();
  const [next, ...more] = rest;
  if (step.kind === 'folders') {
    if (next !== undefined) yield* walk(place, next, more);
    for (const entry of folder.entries()) {
      if (entry.isFolder) yield* into(place, entry.name, step, rest);
      else if (next === undefined) {
        const stat = folder.stat(entry.name);
        if (stat !== undefined) yield { path: at + entry.name, stat };
      }
    }
    return;
  }
  if (next === undefined) {
    const names = step.kind === 'names' ? step.names : folder.names().filter((name) => step.fits.test(name));
    for (const name of names) {
      const stat = folder.stat(name);
      if (stat !== undefined && !stat.isDirectory()) yield { path: at + name, stat };
      await turns.next();
    }
    return;
  }
  if (step.kind === 'names') for (const name of step.names) yield* into(place, name, next, more);
  else {
    for (const entry of folder.entries())
      if (entry.isFolder && step.fits.test(entry.name)) yield* into(place, entry.name, next, more);
  }
}

async function* into(
  place: Place,
  name: string,
  step: Step,
  rest: readonly Step[],
): AsyncGenerator<FoundPath> {
  const path = place.at + name;
  try {
    using folder = place.folder.folder(name);
    if (folder !== undefined) yield* walk({ ...place, folder, at: `${path}/` }, step, rest);
  } catch (error) {
    if (place.onClosed === undefined || !isClosed(error)) throw error;
    place.onClosed(path);
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}
