import type { KnownDeclaration } from './known-declaration.ts';

/**
 * What sources declare by its number, so that the map of another moment is loaded as numbers and times. What a number
 * stands for never changes, whichever process stored it, so that nothing here can be out of date.
 */
export interface DeclarationCache {
  /** undefined: it has to be loaded. */
  get(number: number): RankedDeclaration | undefined;
  add(declarations: Iterable<NumberedDeclaration>): void;
  /** Sorts by what is declared, then by source. All of it has to be in the cache. */
  sort<Item extends CacheItem>(items: readonly Item[]): readonly Item[];
  /** Forgets everything if there is too much. */
  limit(): void;
}

/** What one source declares. */
export interface NumberedDeclaration {
  readonly number: number;
  readonly source: string;
  readonly known: KnownDeclaration;
}

export interface RankedDeclaration extends NumberedDeclaration {
  /** Its place among all; numbers are compared faster than texts. Another one when there are new declarations. */
  readonly rank: number;
}

interface CacheItem {
  readonly ranked: RankedDeclaration;
}

/** About 30 MB. */
const MOST = 50_000;

export function createDeclarationCache(most = MOST): DeclarationCache {
  const entries = new Map<number, NumberedDeclaration & { rank: number }>();
  let unranked = false;
  return {
    get: (number) => entries.get(number),
    add(declarations) {
      for (const { number, source, known } of declarations) {
        if (entries.has(number)) continue;
        entries.set(number, { number, source, known, rank: 0 });
        unranked = true;
      }
    },
    sort(items) {
      if (unranked) {
        const sorted = [...entries.values()].sort(
          (a, b) => compare(a.known.order, b.known.order) || compare(a.source, b.source),
        );
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
  return sorted;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
