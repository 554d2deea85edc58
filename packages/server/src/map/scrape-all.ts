import type { Reading } from './map-source.ts';
import { type ScrapeOptions, scrape } from './scrape.ts';

export interface ScrapeAllOptions extends Omit<ScrapeOptions, 'url'> {
  readonly urls: readonly string[];
  /** Most pages at once; bounds memory to this many times `maxBytes`. (Default: 8) */
  readonly concurrency?: number;
  /** Called with each reading as soon as it is there; the next page of this slot waits for it. */
  readonly onReading: (reading: Reading, at: { readonly started: Date }) => Promise<void>;
  readonly now: () => Date;
}

/** Reads every page once, several at a time. A page that fails, or hangs, holds up no other slot. */
export async function scrapeAll(options: ScrapeAllOptions): Promise<void> {
  const { urls, concurrency = 8, onReading, now, ...rest } = options;
  const queue = urls.values();
  const work = async () => {
    for (const url of queue) {
      if (options.signal.aborted) return;
      const started = now();
      await onReading(await scrape({ ...rest, url }), { started });
    }
  };
  const slots = Array.from({ length: Math.min(concurrency, urls.length) }, work);
  const results = await Promise.allSettled(slots);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
