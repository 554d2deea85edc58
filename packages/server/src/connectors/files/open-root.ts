import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { bytesOf } from '../byte-text.ts';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * A folder that is held open. Whatever is done in it is done in this very folder, even while somebody moves it or puts a symbolic link
 * in its place: Linux opens `/proc/self/fd/N/name` from the folder itself, as `openat(2)` does, and no link is followed.
 */
export class OpenFolder implements Disposable {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** The root may be reached by a link; what is in it may not. */
  static root(path: string): OpenFolder {
    return new OpenFolder(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** A folder in this one. Undefined: there is none of this name, or it is a link or a file. */
  folder(name: string): OpenFolder | undefined {
    const descriptor = attempt(() => openSync(this.#at(name), FOLDER));
    return descriptor === undefined ? undefined : new OpenFolder(descriptor);
  }

  /** Opens a file for reading. Undefined: it is gone, or a link. */
  file(name: string): number | undefined {
    return attempt(() => openSync(this.#at(name), FILE));
  }

  names(): readonly string[] {
    return readdirSync(this.#path(), 'latin1');
  }

  /** The names, and which of them are folders themselves: a link to one is none. */
  entries(): readonly { readonly name: string; readonly isFolder: boolean }[] {
    return readdirSync(this.#path(), { encoding: 'latin1', withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isFolder: entry.isDirectory(),
    }));
  }

  /** Of the file or link itself. Undefined: it is gone. */
  stat(name: string): Stats | undefined {
    return attempt(() => lstatSync(this.#at(name)));
  }

  /** The path by which system calls reach what is in this very folder; good as long as it is open. */
  pathTo(name: string): string {
    return `${this.#path()}/${name}`;
  }

  /** Says whether there was one. */
  unlink(name: string): boolean {
    return attempt(() => unlinkSync(this.#at(name)) ?? true) === true;
  }

  /** Removes an empty folder. Says whether it is gone now. */
  removeFolder(name: string): boolean {
    try {
      rmdirSync(this.#at(name));
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT') return true;
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EBUSY') return false;
      throw error;
    }
  }

  /** Makes removals in it survive a loss of power. */
  sync(): void {
    fsyncSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #path(): string {
    return `/proc/self/fd/${this.#descriptor}`;
  }

  #at(name: string): Buffer {
    return bytesOf(this.pathTo(name));
  }
}

/** What is not there any more, or is no folder or file but a link, is no error. */
const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

function attempt<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch (error) {
    if (ABSENT.has(codeOf(error))) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
