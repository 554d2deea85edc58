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
  const [first, ...rest] = plan.steps;
  if (first !== undefined) yield* walk({ folder: root, at: '', turns }, first, rest);
}

interface Place {
  readonly folder: OpenFolder;
  /** The folder's path with a slash behind it; empty at the root. */
  readonly at: string;
  readonly turns: Turns;
}

async function* walk(place: Place, step: Step, rest: readonly Step[]): AsyncGenerator<string> {
  const { folder, at, turns } = place;
  await turns.next();
  const [next, ...more] = rest;
  if (step.kind === 'folders') {
    if (next !== undefined) yield* walk(place, next, more);
    for (const entry of folder.entries()) {
      if (entry.isFolder) yield* into(place, entry.name, step, rest);
      else if (next === undefined) yield at + entry.name;
    }
    return;
  }
  if (next === undefined) {
    const names = step.kind === 'names' ? step.names : folder.names().filter((name) => step.fits.test(name));
    for (const name of names) {
      const stat = folder.stat(name);
      if (stat !== undefined && !stat.isDirectory()) yield at + name;
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

async function* into(place: Place, name: string, step: Step, rest: readonly Step[]): AsyncGenerator<string> {
  using folder = place.folder.folder(name);
  if (folder === undefined) return;
  yield* walk({ folder, at: `${place.at}${name}/`, turns: place.turns }, step, rest);
}
