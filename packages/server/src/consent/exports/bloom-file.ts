import { bloomPlaces } from '@habeas/contract/consent-export';

/** One in a thousand of those who did not refuse is taken for somebody who did. */
const BITS_OF_EACH = 14.4;
export const BLOOM_HASHES = 10;
const LEAST_BITS = 1_024;

/** A filter of this many bits has room for so many people. */
export function bloomBits(people: number): number {
  return Math.max(LEAST_BITS, Math.ceil((people * BITS_OF_EACH) / 8) * 8);
}

/** The bits of a Bloom filter of all texts, the lowest bit of each byte first. */
export async function bloomOf(batches: AsyncIterable<readonly string[]>, bits: number): Promise<Buffer> {
  const filter = Buffer.alloc(bits / 8);
  for await (const batch of batches)
    for (const text of batch)
      for (const place of bloomPlaces(text, { bits, hashes: BLOOM_HASHES }))
        filter[place >> 3] = (filter[place >> 3] ?? 0) | (1 << (place & 7));
  return filter;
}
