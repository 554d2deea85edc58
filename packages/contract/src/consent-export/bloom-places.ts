import { createHash } from 'node:crypto';

/** A Bloom filter: how many bits it has, and how many of them each member sets. */
export interface BloomShape {
  readonly bits: number;
  readonly hashes: number;
}

/**
 * The bits of a text: `(a + i * b) mod bits`, where `a` and `b` are the first two numbers of 32 bits, little-endian, of its SHA-256 in UTF-8, and `b`
 * is made odd (Kirsch and Mitzenmacher, "Less Hashing, Same Performance", 2006).
 */
export function bloomPlaces(text: string, { bits, hashes }: BloomShape): readonly number[] {
  const digest = createHash('sha256').update(text).digest();
  const first = digest.readUInt32LE(0);
  const step = digest.readUInt32LE(4) | 1;
  return Array.from({ length: hashes }, (_, index) => (first + index * (step >>> 0)) % bits);
}
