import { type CleanPass, cleanMark, type KnownClean } from '../known-clean.ts';
import type { LogFile } from './log-file.ts';
import type { Needle } from './needles.ts';

/**
 * A file that was changed later than so long before it was read may be changed again with the same time: the clocks of file systems are coarse,
 * some go in steps of two seconds.
 */
const SETTLED_MILLISECONDS = 2_500;

/** What the passes of a connection remember. */
export interface Remembered {
  readonly known: KnownClean;
  readonly now: Date;
}

/**
 * Which files have no line with one of the needles, from one pass over a collection to the next. A file is known by its inode, size and times; the
 * system alone sets the time of its last change, so that nobody writes to a file without its being read again.
 */
export class CleanFiles {
  readonly #names: readonly string[];
  readonly #pass: CleanPass;
  readonly #now: number;

  constructor(collection: string, needles: readonly Needle[], { known, now }: Remembered) {
    this.#names = [...new Set(needles.map(nameOf))];
    this.#pass = known.begin(
      this.#names.map((name) => JSON.stringify([collection, name])),
      now,
    );
    this.#now = now.getTime();
  }

  has(file: LogFile): boolean {
    return this.#pass.isClean(markOf(file));
  }

  /** Remembers what was found in a file that was read to its end, unless it was changed meanwhile or just before. */
  async note(file: LogFile, found: Iterable<Needle>): Promise<void> {
    if (this.#now - file.stat.ctimeMs < SETTLED_MILLISECONDS) return;
    if (markOf({ stat: await file.handle.stat() }) !== markOf(file)) return;
    this.#pass.note(markOf(file), new Set([...found].map((needle) => this.#names.indexOf(nameOf(needle)))));
  }
}

function nameOf({ identity: { type, value } }: Needle): string {
  return JSON.stringify([type, value]);
}

function markOf({ stat: { dev, ino, size, mtimeMs, ctimeMs } }: Pick<LogFile, 'stat'>): string {
  return cleanMark([dev, ino, size, mtimeMs, ctimeMs]);
}
