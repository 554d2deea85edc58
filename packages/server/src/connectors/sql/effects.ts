import type { Effect } from '../connector.ts';

type Change = 'erased' | 'masked' | 'kept';

/** Adds up what an erasure does to each collection. */
export class Effects {
  readonly #sums = new Map<string, Record<Change | 'found', number>>();

  found(collection: string, rows: number): void {
    this.#of(collection).found += rows;
  }

  changed(collection: string, change: Change, rows: number): void {
    this.#of(collection)[change] += rows;
  }

  /** By collection; rows that are only marked as deleted are `hidden`. */
  byCollection(hidden: Readonly<Record<string, number>>): Readonly<Record<string, Effect>> {
    return Object.fromEntries(
      [...this.#sums].map(([name, sums]) => [
        name,
        hidden[name] === undefined
          ? { ...sums, level: 'logical' }
          : { ...sums, hidden: hidden[name], level: 'hidden' },
      ]),
    );
  }

  #of(collection: string): Record<Change | 'found', number> {
    const known = this.#sums.get(collection) ?? { found: 0, erased: 0, masked: 0, kept: 0 };
    this.#sums.set(collection, known);
    return known;
  }
}
