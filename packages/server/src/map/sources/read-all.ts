import type { MapSource, Reading } from '../map-source.ts';

export interface ReadAllOptions {
  readonly sources: readonly MapSource[];
  /** Most sources at once; bounds memory to this many times the largest page. (Default: 8) */
  readonly concurrency?: number;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Called with each reading as soon as it is there; the next source of this slot waits for it. */
  readonly onReading: (reading: Reading, at: { readonly started: Date }) => Promise<void>;
}

/** Reads every source once, several at a time. A source that fails, or hangs, holds up no other slot. */
export async function readAll(options: ReadAllOptions): Promise<void> {
  const { sources, concurrency = 8, onReading, now, signal } = options;
  const queue = sources.values();
  const work = async () => {
    for (const source of queue) {
      if (signal.aborted) return;
      const started = now();
      await onReading(await source.read({ signal, at: started }), { started });
    }
  };
  const slots = Array.from({ length: Math.min(concurrency, sources.length) }, work);
  const results = await Promise.allSettled(slots);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
