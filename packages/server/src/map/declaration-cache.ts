import type { KnownDeclaration } from './known-declaration.ts';

/**
 * What sources declare by its number, so that the map of another moment is loaded as numbers and times. What a number
 * stands for never changes, whichever process stored it, so that nothing here can be out of date.
 */
export interface DeclarationCache {
  /** undefined: it has to be loaded. */
  get(number: number): NumberedDeclaration | undefined;
  add(declarations: Iterable<NumberedDeclaration>): void;
  /** The same text for the same word, so that the names of a thousand services are compared and held only once. */
  word(text: string): string;
  /** The indexes of all of them, sorted by what is declared, then by source, then by index. Adds what is not there. */
  order(declarations: readonly NumberedDeclaration[]): Float64Array;
  /** Forgets everything if there is too much. */
  limit(): void;
}

/** What one source declares. */
export interface NumberedDeclaration {
  readonly number: number;
  readonly source: string;
  readonly known: KnownDeclaration;
}

/** With its place among all: numbers are compared faster than texts. Another one when there are new declarations. */
interface RankedDeclaration {
  readonly declaration: NumberedDeclaration;
  rank: number;
}

/** About 30 MB. */
const MOST = 50_000;

export function createDeclarationCache(most = MOST): DeclarationCache {
  const entries = new Map<number, RankedDeclaration>();
  const words = new Map<string, string>();
  let unranked = false;

  function add(declarations: Iterable<NumberedDeclaration>): void {
    for (const declaration of declarations) {
      if (entries.has(declaration.number)) continue;
      entries.set(declaration.number, { declaration, rank: 0 });
      unranked = true;
    }
  }

  function rank(): void {
    const sorted = [...entries.values()].sort(
      ({ declaration: a }, { declaration: b }) =>
        compare(a.known.order, b.known.order) || compare(a.source, b.source),
    );
    for (const [rank, entry] of sorted.entries()) entry.rank = rank;
    unranked = false;
  }

  return {
    get: (number) => entries.get(number)?.declaration,
    add,
    word(text) {
      const known = words.get(text);
      if (known === undefined) words.set(text, text);
      return known ?? text;
    },
    order(declarations) {
      // Another load may have emptied the cache meanwhile.
      add(declarations);
      if (unranked) rank();
      // One number each, its rank before its index: an array of numbers is sorted without a call for each pair.
      const count = declarations.length;
      const order = new Float64Array(count);
      for (let index = 0; index < count; index += 1) {
        order[index] = (entries.get(declarations[index]?.number ?? 0)?.rank ?? 0) * count + index;
      }
      order.sort();
      for (let place = 0; place < count; place += 1) order[place] = (order[place] ?? 0) % count;
      return order;
    },
    limit() {
      if (entries.size <= most) return;
      entries.clear();
      words.clear();
    },
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
