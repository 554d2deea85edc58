/** A stream of numbers that look random and are the same for the same seeds, on every machine. */
export interface Prng {
  /** A whole number from 0 up to, not including, `below` (1 … 2³²). */
  int(below: number): number;
  /** True in `percent` of 100 draws. */
  chance(percent: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(list: readonly [T, ...T[]]): T;
}

/**
 * The splitmix32 generator: every seed gives a good stream at once, so that person n can be made without the n before.
 * Not for secrets.
 */
export function createPrng(...seeds: readonly number[]): Prng {
  let state = 0x9e37_79b9;
  for (const seed of seeds) state = mix((state ^ seed) >>> 0);
  const next = () => {
    state = (state + 0x9e37_79b9) >>> 0;
    return mix(state);
  };
  const int = (below: number) => Math.floor((next() / 0x1_0000_0000) * below);
  return {
    int,
    chance: (percent) => int(100) < percent,
    pick: (list) => list[int(list.length)] ?? list[0],
  };
}

/** Spreads 32 bits so that neighbours have nothing in common. */
function mix(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
