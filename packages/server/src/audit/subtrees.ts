import { HabeasError } from '../foundation/index.ts';

/** The entries from `start` to before `end`, as one subtree of the tree of RFC 6962. */
export interface Subtree {
  readonly start: number;
  readonly end: number;
}

/** A subtree of 2^`height` entries, the `index`-th of this height from the left. */
export interface CompleteSubtree {
  readonly height: number;
  readonly index: number;
}

/** Subtrees whose roots prove that the entry is in the tree, from the leaf's sibling up (RFC 6962 §2.1.1). */
export function inclusionSubtrees(index: number, size: number): readonly Subtree[] {
  if (!isNumber(index) || !isNumber(size) || index >= size)
    throw new HabeasError('BAD_INPUT', `A log of ${size} entries has no entry ${index}.`);
  const path: Subtree[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  return path.reverse();
}

/** Subtrees whose roots prove that the tree of `from` entries is the beginning of the tree of `to` (RFC 6962 §2.1.2). */
export function consistencySubtrees(from: number, to: number): readonly Subtree[] {
  if (!isNumber(from) || !isNumber(to) || from > to)
    throw new HabeasError('BAD_INPUT', `A log of ${to} entries does not continue one of ${from}.`);
  if (from === 0 || from === to) return [];
  const path: Subtree[] = [];
  let [start, end] = [0, to];
  while (from !== end) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  // Whoever asks knows the root of the whole old tree already.
  if (start > 0) path.push({ start, end });
  return path.reverse();
}

/** A subtree as complete ones, from left to right: its root is theirs, hashed together from the right. */
export function completeSubtrees({ start, end }: Subtree): readonly CompleteSubtree[] {
  const parts: CompleteSubtree[] = [];
  for (let at = start; at < end; ) {
    const height = heightOf(end - at);
    parts.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return parts;
}

/** The largest power of two that is smaller than the number: where RFC 6962 splits a tree. */
function splitOf(entries: number): number {
  return 2 ** heightOf(entries - 1);
}

/** The largest n with 2^n not above the number. */
function heightOf(entries: number): number {
  const height = Math.floor(Math.log2(entries));
  // The logarithm of a large number is rounded.
  return 2 ** height > entries ? height - 1 : height;
}

function isNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
