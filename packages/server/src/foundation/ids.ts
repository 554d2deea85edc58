import { randomFillSync } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Crockford's base 32 in lower case: readable aloud, safe in paths and file names. */
export function base32(bytes: Uint8Array): string {
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >> bits) & 31];
    }
  }
  if (bits > 0) text += ALPHABET[(value << (5 - bits)) & 31];
  return text;
}

export type IdPrefix =
  | 'req'
  | 'tsk'
  | 'pkg'
  | 'key'
  | 'aud'
  | 'evt'
  | 'cli'
  | 'dec'
  | 'sec'
  | 'ses'
  | 'mem'
  | 'mail'
  | 'prt'
  | 'lho'
  | 'lnk'
  | 'run'
  | 'rcp'
  | 'cex';

/**
 * A new id such as `req_01jd…`: the prefix says what it names; 48 bits of time in milliseconds keep indexes
 * compact, 80 random bits keep it unguessable in practice. An id is never a secret by itself.
 */
export function newId(prefix: IdPrefix, now: Date = new Date()): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  random(10).copy(bytes, 6);
  return `${prefix}_${base32(bytes)}`;
}

/** Random bytes that were not given out yet: one call of the system for many ids. */
const pool = Buffer.alloc(4_096);
let given = pool.length;

function random(count: number): Buffer {
  if (given + count > pool.length) {
    randomFillSync(pool);
    given = 0;
  }
  given += count;
  return pool.subarray(given - count, given);
}
