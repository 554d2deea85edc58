import type { Spool } from './spool.ts';

/** The results that can still be read, by the name of their operation. */
export interface Spools {
  /** Each look at a result keeps it for the whole time again. */
  get(name: string): Spool | undefined;
  put(name: string, spool: Spool): void;
  close(): Promise<void>;
}

export interface SpoolsOptions {
  /** A result goes when nobody has looked at it for so long. */
  readonly milliseconds: number;
  /** Most memory of all results together. (Default: 64 MiB) */
  readonly memoryBytes?: number;
  /** Most files of all results together; each is an open descriptor. (Default: 256) */
  readonly files?: number;
}

interface Kept {
  readonly spool: Spool;
  readonly timer: NodeJS.Timeout;
  /** As it was when it was put here: nothing is added to it any more. */
  readonly size: Spool['size'];
}

/** Keeps results for a time, and drops those first that nobody has looked at for longest when there are too many. */
export function createSpools({
  milliseconds,
  memoryBytes = 64 * 1024 * 1024,
  files = 256,
}: SpoolsOptions): Spools {
  // A map keeps its order: the front is what was looked at longest ago.
  const kept = new Map<string, Kept>();
  const total = { memoryBytes: 0, files: 0 };
  const drop = (name: string, one: Kept) => {
    clearTimeout(one.timer);
    if (kept.get(name) === one) kept.delete(name);
    total.memoryBytes -= one.size.memoryBytes;
    total.files -= one.size.files;
    // The system frees the file in any case; there is nobody to tell.
    one.spool.close().catch(() => undefined);
  };
  return {
    get(name) {
      const found = kept.get(name);
      if (found === undefined) return undefined;
      found.timer.refresh();
      kept.delete(name);
      kept.set(name, found);
      return found.spool;
    },
    put(name, spool) {
      const before = kept.get(name);
      if (before !== undefined) drop(name, before);
      const timer = setTimeout(() => drop(name, one), milliseconds).unref();
      const one: Kept = { spool, timer, size: spool.size };
      kept.set(name, one);
      total.memoryBytes += one.size.memoryBytes;
      total.files += one.size.files;
      for (const [oldest, its] of kept) {
        if (its === one || (total.memoryBytes <= memoryBytes && total.files <= files)) break;
        drop(oldest, its);
      }
    },
    async close() {
      for (const { timer } of kept.values()) clearTimeout(timer);
      await Promise.all([...kept.values()].map(({ spool }) => spool.close()));
      kept.clear();
    },
  };
}
