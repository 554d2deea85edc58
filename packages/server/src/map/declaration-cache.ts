import type { KnownDeclaration } from './known-declaration.ts';

/**
 * Declarations by their key, so that the map of another moment is loaded as keys and times. What a key stands for never
 * changes, whichever process stored it, so that nothing here can be out of date.
 */
export interface DeclarationCache {
  get(key: string): KnownDeclaration | undefined;
  /** Keeps the declarations of all items and sorts the items by them, then by their source. */
  sort<Item extends CacheItem>(items: readonly Item[]): readonly Item[];
}

interface CacheItem {
  readonly known: KnownDeclaration;
  readonly source: string;
}

/** About 30 MB. */
const MOST = 50_000;

export function createDeclarationCache(most = MOST): DeclarationCache {
  const known = new Map<string, KnownDeclaration>();
  /** Numbers are compared faster than texts; they are given anew when there is a new declaration. */
  let ranks: ReadonlyMap<string, number> = new Map();
  return {
    get: (key) => known.get(key),
    sort(items) {
      for (const { known: one } of items) if (!known.has(one.key)) known.set(one.key, one);
      if (ranks.size !== known.size) ranks = rank(known);
      const ranked = items.map((item) => ({ item, rank: ranks.get(item.known.key) ?? 0 }));
      ranked.sort((a, b) => a.rank - b.rank || compare(a.item.source, b.item.source));
      if (known.size > most) {
        known.clear();
        ranks = new Map();
      }
      return ranked.map(({ item }) => item);
    },
  };
}

function rank(known: ReadonlyMap<string, KnownDeclaration>): ReadonlyMap<string, number> {
  const sorted = [...known.values()].sort((a, b) => compare(a.order, b.order));
  return new Map(sorted.map(({ key }, index) => [key, index]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
