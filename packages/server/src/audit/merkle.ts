import { hash } from 'node:crypto';

/** Bytes of a SHA-256 hash, and so of every node of the tree. */
export const HASH_BYTES = 32;

/** Hash of an entry: SHA-256(0x00 ‖ entry) (RFC 6962 §2.1). */
export function leafHashOf(entry: Uint8Array): Buffer {
  const bytes = new Uint8Array(entry.length + 1);
  bytes.set(entry, 1);
  return hash('sha256', bytes, 'buffer');
}

/** Hash of two subtrees: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1). */
export function nodeHashOf(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return hash('sha256', bytes, 'buffer');
}

/** Root of the empty tree: SHA-256 of nothing (RFC 6962 §2.1). */
export const EMPTY_ROOT: Uint8Array = hash('sha256', new Uint8Array(0), 'buffer');

/** Root over a power of two of hashes that lie one behind the other. */
export function completeRoot(hashes: Uint8Array): Buffer {
  let row = Buffer.from(hashes);
  while (row.length > HASH_BYTES) {
    const above = Buffer.alloc(row.length / 2);
    for (let at = 0; at < above.length; at += HASH_BYTES) {
      const pair = row.subarray(2 * at, 2 * at + 2 * HASH_BYTES);
      nodeHashOf(pair.subarray(0, HASH_BYTES), pair.subarray(HASH_BYTES)).copy(above, at);
    }
    row = above;
  }
  return row;
}
