import type { Spool } from './spool.ts';

/** The results that can still be read, by the name of their operation. */
export interface Spools {
  /** Each look at a result keeps it for the whole time again. */
  get(name: string): Spool | undefined;
  put(name: string, spool: Spool): void;
  close(): Promise<void>;
}

/** Keeps each result until nobody has looked at it for `milliseconds`. */
export function createSpools(milliseconds: number): Spools {
  const kept = new Map<string, { readonly spool: Spool; readonly timer: NodeJS.Timeout }>();
  const drop = (name: string, spool: Spool) => {
    if (kept.get(name)?.spool === spool) kept.delete(name);
    // The system frees the file in any case; there is nobody to tell.
    spool.close().catch(() => undefined);
  };
  return {
    get(name) {
      const found = kept.get(name);
      found?.timer.refresh();
      return found?.spool;
    },
    put(name, spool) {
      const before = kept.get(name);
      clearTimeout(before?.timer);
      if (before !== undefined) drop(name, before.spool);
      kept.set(name, { spool, timer: setTimeout(() => drop(name, spool), milliseconds).unref() });
    },
    async close() {
      for (const { timer } of kept.values()) clearTimeout(timer);
      await Promise.all([...kept.values()].map(({ spool }) => spool.close()));
      kept.clear();
    },
  };
}
