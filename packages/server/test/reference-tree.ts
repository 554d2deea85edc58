import { createHash } from 'node:crypto';

const sha256 = (...parts: readonly Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

const node = (left: Uint8Array, right: Uint8Array) => sha256(Buffer.of(1), left, right);

/** The tree as RFC 6962 §2.1 defines it, word for word: what the real one is compared with. */
export interface ReferenceTree {
  /** MTH(D[start:end]) */
  root(start: number, end: number): Buffer;
  /** PATH(m, D[0:n]) */
  path(m: number, n: number): readonly Buffer[];
  /** PROOF(m, D[0:n]) */
  consistency(m: number, n: number): readonly Buffer[];
}

/** Over entries that are hashed already. Roots are remembered, so that many proofs take no time. */
export function referenceTree(leaves: readonly Buffer[]): ReferenceTree {
  const known = new Map<string, Buffer>();

  function root(start: number, end: number): Buffer {
    const name = `${start}-${end}`;
    const found = known.get(name) ?? computed(start, end);
    known.set(name, found);
    return found;
  }

  function computed(start: number, end: number): Buffer {
    if (end === start) return sha256();
    if (end - start === 1) return leaves[start] ?? sha256();
    const middle = start + split(end - start);
    return node(root(start, middle), root(middle, end));
  }

  function path(m: number, start: number, end: number): readonly Buffer[] {
    if (end - start <= 1) return [];
    const k = split(end - start);
    const middle = start + k;
    return m < k
      ? [...path(m, start, middle), root(middle, end)]
      : [...path(m - k, middle, end), root(start, middle)];
  }

  function subproof(m: number, start: number, end: number, old: 'known' | 'unknown'): readonly Buffer[] {
    if (m === end - start) return old === 'known' ? [] : [root(start, end)];
    const k = split(end - start);
    const middle = start + k;
    return m <= k
      ? [...subproof(m, start, middle, old), root(middle, end)]
      : [...subproof(m - k, middle, end, 'unknown'), root(start, middle)];
  }

  return {
    root,
    path: (m, n) => path(m, 0, n),
    consistency: (m, n) => (m === 0 ? [] : subproof(m, 0, n, 'known')),
  };
}

/** The largest power of two that is smaller than n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
