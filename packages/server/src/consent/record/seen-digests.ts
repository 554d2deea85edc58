/** Bits of what was seen: 4 MB. */
const BITS = 2 ** 25;
const PLACES = 4;
/** Then about one of two thousand that were not seen looks as if it was: of a batch of thousands, mostly none. */
const MOST = 1_400_000;

/** Which digests this process has seen, nearly: of those that it has not, it takes few for seen (a Bloom filter). */
export interface SeenDigests {
  /** Whether it was seen before; from now on it was. */
  see(digest: Buffer): boolean;
}

export function createSeenDigests(): SeenDigests {
  const bits = new Uint8Array(BITS / 8);
  let count = 0;
  return {
    see(digest) {
      let isKnown = true;
      for (let part = 0; part < PLACES; part += 1) {
        // Bits of a keyed hash are as good as random.
        const place = digest.readUInt32LE(part * 4) % BITS;
        const mask = 1 << (place & 7);
        isKnown &&= ((bits[place >> 3] ?? 0) & mask) !== 0;
        bits[place >> 3] = (bits[place >> 3] ?? 0) | mask;
      }
      if (!isKnown) count += 1;
      if (count > MOST) {
        bits.fill(0);
        count = 0;
      }
      return isKnown;
    },
  };
}
