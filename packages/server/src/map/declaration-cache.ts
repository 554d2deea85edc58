import type { KnownDeclaration } from './known-declaration.ts';

/**
 * Declarations by their key, so that the map of another moment is loaded as keys and times. What a key stands for never
 * changes, whichever process stored it, so that nothing here can be out of date.
 */
export interface DeclarationCache {
  /** undefined: it has to be loaded. */
  get(key: string): RankedDeclaration | undefined;
  add(declarations: Iterable<KnownDeclaration>): void;
  /** Sorts by what is declared, then by source. All of it has to be in the cache. */
  sort<Item extends CacheItem>(items: readonly Item[]): readonly Item[];
  /** Forgets everything if there is too much. */
  limit(): void;
}

export interface RankedDeclaration {
  readonly known: KnownDeclaration;
  /** Its place among all; numbers are compared faster than texts. Another one when there are new declarations. */
  readonly rank: number;
}

interface CacheItem {
  readonly ranked: RankedDeclaration;
  readonly source: string;
}

/** About 30 MB. */
const MOST = 50_000;

export function createDeclarationCache(most = MOST): DeclarationCache {
  const entries = new Map<string, { readonly known: KnownDeclaration; rank: number }>();
  let unranked = false;
  return {
    get: (key) => entries.get(key),
    add(declarations) {
      for (const known of declarations) {
        if (entries.has(known.key)) continue;
        entries.set(known.key, { known, rank: 0 });
        unranked = true;
      }
    },
    sort(items) {
      if (unranked) {
        const sorted = [...entries.values()].sort((a, b) => compare(a.known.order, b.known.order));
        for (const [rank, entry] of sorted.entries()) entry.rank = rank;
        unranked = false;
      }
      return sortRanked(items);
    },
    limit() {
      if (entries.size > most) entries.clear();
    },
  };
}

function sortRanked<Item extends CacheItem>(items: readonly Item[]): readonly Item[] {
  // One number an item, its rank before its place: an array of numbers is sorted without a call for each pair.
  const places = new Float64Array(items.length);
  for (let place = 0; place < items.length; place += 1) {
    places[place] = (items[place]?.ranked.rank ?? 0) * items.length + place;
  }
  places.sort();
  const sorted: Item[] = [];
  for (const place of places) {
    const item = items[place % items.length];
    if (item !== undefined) sorted.push(item);
  }
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const ranked = sorted[from]?.ranked;
    for (to = from + 1; to < sorted.length && sorted[to]?.ranked === ranked; ) to += 1;
    // Several sources may say the same; nearly always it is one.
    if (to - from === 1) continue;
    const same = sorted.slice(from, to).sort((a, b) => compare(a.source, b.source));
    sorted.splice(from, same.length, ...same);
  }
  return sorted;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
