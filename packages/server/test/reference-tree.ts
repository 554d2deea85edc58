import { createHash } from 'node:crypto';

/** The tree as RFC 6962 §2.1 defines it, word for word and slow: what the real one is compared with. */
const sha256 = (...parts: readonly Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

export const referenceLeaf = (entry: Uint8Array): Buffer => sha256(Buffer.of(0), entry);

const node = (left: Uint8Array, right: Uint8Array) => sha256(Buffer.of(1), left, right);

/** MTH of hashed leaves. */
export function referenceRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return first;
  const k = split(leaves.length);
  return node(referenceRoot(leaves.slice(0, k)), referenceRoot(leaves.slice(k)));
}

/** PATH(m, D[n]). */
export function referencePath(m: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m < k
    ? [...referencePath(m, left), referenceRoot(right)]
    : [...referencePath(m - k, right), referenceRoot(left)];
}

/** PROOF(m, D[n]). */
export function referenceConsistency(m: number, leaves: readonly Buffer[]): readonly Buffer[] {
  return m === 0 ? [] : subproof(m, leaves, 'known');
}

function subproof(m: number, leaves: readonly Buffer[], root: 'known' | 'unknown'): readonly Buffer[] {
  if (m === leaves.length) return root === 'known' ? [] : [referenceRoot(leaves)];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m <= k
    ? [...subproof(m, left, root), referenceRoot(right)]
    : [...subproof(m - k, right, 'unknown'), referenceRoot(left)];
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
