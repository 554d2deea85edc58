import type { Stats } from 'node:fs';
import type { KeyBatch } from '../connector.ts';
import type { Turns } from './find-paths.ts';
import type { OpenFolder } from './open-root.ts';

/** What the keys of files are made of; a key is all of it as JSON. */
export const KEY_COLUMNS = ['path', 'common folders', 'linked'];

export interface FileKey {
  readonly path: string;
  readonly common: number;
  /** It has another name somewhere (a hard link). */
  readonly isLinked: boolean;
}

export function keyOf({ path, common, isLinked }: FileKey): string {
  return JSON.stringify([path, common, ...(isLinked ? [1] : [])]);
}

/** The stored keys by collection, each once, in the order in which they were found. */
export async function readKeys(
  batches: AsyncIterable<KeyBatch>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ReadonlyMap<string, FileKey>>> {
  const collections = new Map<string, Map<string, FileKey>>();
  for await (const { collection, keys } of batches) {
    signal.throwIfAborted();
    const own = collections.get(collection) ?? new Map<string, FileKey>();
    collections.set(collection, own);
    for (const key of keys) {
      const [path, common, linked]: [string, number, number?] = JSON.parse(key);
      own.set(path, { path, common, isLinked: linked === 1 });
    }
  }
  signal.throwIfAborted();
  return collections;
}

export interface Removed {
  readonly files: number;
  /** Of these, how many have another name somewhere: what they hold can still be read there. */
  readonly linked: number;
}

/** Counts the files that are there, or removes them, and the folders of the person's own that are empty then. */
export async function removeFiles(options: {
  readonly root: OpenFolder;
  readonly keys: Iterable<FileKey>;
  readonly mode: 'erase' | 'dry-run';
  /** Whether a file that is gone was removed by an attempt whose answer was lost. */
  readonly countsGone: boolean;
  readonly turns: Turns;
}): Promise<Removed> {
  const { root, mode, turns, countsGone } = options;
  let files = 0;
  let linked = 0;
  for (const { path, common, isLinked } of options.keys) {
    const [name, ...folders] = path.split('/').reverse();
    if (name === undefined) continue;
    using place = new Place(root, folders.reverse());
    const stat = place.last?.stat(name);
    if (place.last !== undefined && stat !== undefined && !stat.isDirectory()) {
      if (mode === 'dry-run' || place.last.unlink(name)) files += 1;
      if (stat.nlink > 1) linked += 1;
      if (mode === 'erase') place.last.sync();
    } else if (countsGone) {
      files += 1;
      if (isLinked) linked += 1;
    }
    if (mode === 'erase') place.removeEmpty(common);
    await turns.next();
  }
  return { files, linked };
}

/** What the file system says of a file or link of this path; undefined: there is none. */
export function statOf(root: OpenFolder, path: string): Stats | undefined {
  const [name, ...folders] = path.split('/').reverse();
  if (name === undefined) return undefined;
  using place = new Place(root, folders.reverse());
  const stat = place.last?.stat(name);
  return stat?.isDirectory() === true ? undefined : stat;
}

/** The folders on the way to a file, each opened from the one before. */
export class Place implements Disposable {
  readonly #root: OpenFolder;
  readonly #names: readonly string[];
  readonly #open: OpenFolder[] = [];

  constructor(root: OpenFolder, names: readonly string[]) {
    this.#root = root;
    this.#names = names;
    for (const name of names) {
      const folder = (this.#open.at(-1) ?? root).folder(name);
      if (folder === undefined) break;
      this.#open.push(folder);
    }
  }

  /** The folder of the file; undefined: it is not there any more. */
  get last(): OpenFolder | undefined {
    return this.#open.length === this.#names.length ? (this.#open.at(-1) ?? this.#root) : undefined;
  }

  /** Removes folders from the innermost on while they are empty, and leaves the first `common`. */
  removeEmpty(common: number): void {
    for (let depth = this.#open.length; depth > common; depth -= 1) {
      const parent = this.#open[depth - 2] ?? this.#root;
      const name = this.#names[depth - 1];
      if (name === undefined || !parent.removeFolder(name)) return;
      parent.sync();
    }
  }

  [Symbol.dispose](): void {
    for (const folder of this.#open) folder[Symbol.dispose]();
  }
}
