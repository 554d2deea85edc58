import type { MapSource } from '../map-source.ts';
import { sourceName } from '../source-name.ts';
import { type ScrapeOptions, scrape } from './scrape.ts';

/** One metrics page of the configuration. */
export function createPageSource(options: Omit<ScrapeOptions, 'signal'>): MapSource {
  const name = options.source ?? sourceName(options.url);
  return {
    name,
    kind: 'scrape',
    read: ({ signal }) => scrape({ ...options, source: name, signal }),
  };
}
