import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceTree } from '../../test/reference-tree.ts';
import { isBeginningOf, rootFromInclusion } from './habeas-verify.mjs';
import { EMPTY_ROOT, leafHashOf } from './merkle.ts';
import { consistencySubtrees, inclusionSubtrees, type Subtree } from './subtrees.ts';
import {
  appendToTiles,
  edgeOf,
  type FindTile,
  parseTilePath,
  rootOf,
  tileNumberPath,
  tilesOf,
  widthOf,
} from './tiles.ts';

/** Four seconds on a machine at rest. */
const EXHAUSTIVE_MILLISECONDS = 120_000;

/** A tree in memory, grown by the given numbers of entries, one batch after the other. */
function grow(leaves: readonly Buffer[], batches: readonly number[] = [leaves.length]): FindTile {
  const tiles = new Map<string, Uint8Array>();
  const find: FindTile = ({ level, number }) => tiles.get(`${level}/${number}`);
  let size = 0;
  for (const batch of batches) {
    const added = Buffer.concat(leaves.slice(size, size + batch));
    for (const { level, number, hashes } of appendToTiles({ size, find, leaves: added })) {
      const before = find({ level, number }) ?? new Uint8Array(0);
      expect(Buffer.from(hashes.subarray(0, before.length)).equals(before)).toBe(true);
      tiles.set(`${level}/${number}`, hashes);
    }
    size += batch;
  }
  return find;
}

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, at) => leafHashOf(Buffer.from(`entry ${at}`)));
const hashes = (subtrees: readonly Subtree[], find: FindTile) =>
  subtrees.map((subtree) => Buffer.from(rootOf(subtree, find)));
const hex = (all: readonly Uint8Array[]) => all.map((one) => Buffer.from(one).toString('hex'));

/** The entries, roots and proofs by which implementations of RFC 6962 are tested since the first one. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const LEAF_1 = '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7';
const PAIR_2_3 = '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e';
const LEAF_4 = 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b';
const HALF_4_7 = '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4';
const PAIR_6_7 = 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0';
const PAIR_4_5 = '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a';

describe('the vectors of RFC 6962', () => {
  const leaves = ENTRIES.map((entry) => leafHashOf(Buffer.from(entry, 'hex')));
  const find = grow(leaves);

  it('give the known roots for 0 to 8 entries', () => {
    const roots = ROOTS.map((_, size) => (size === 0 ? EMPTY_ROOT : rootOf({ start: 0, end: size }, find)));
    expect(hex(roots)).toEqual(ROOTS);
  });

  it.each([
    [0, 1, []],
    [0, 8, [LEAF_1, PAIR_2_3, HALF_4_7]],
    [5, 8, [LEAF_4, PAIR_6_7, ROOTS[4]]],
    [2, 3, [ROOTS[2]]],
    [1, 5, [ROOTS[1], PAIR_2_3, LEAF_4]],
  ])('give the known proof that entry %i is in a tree of %i', (index, size, want) => {
    expect(hex(hashes(inclusionSubtrees(index, size), find))).toEqual(want);
  });

  it.each([
    [1, 1, []],
    [1, 8, [LEAF_1, PAIR_2_3, HALF_4_7]],
    [6, 8, [PAIR_4_5, PAIR_6_7, ROOTS[4]]],
    [2, 5, [PAIR_2_3, LEAF_4]],
  ])('give the known proof that a tree of %i is the beginning of one of %i', (from, to, want) => {
    expect(hex(hashes(consistencySubtrees(from, to), find))).toEqual(want);
  });
});

describe('proofs of trees of up to 130 entries', () => {
  const leaves = leavesOf(130);
  const reference = referenceTree(leaves);
  const find = grow(leaves);
  const head = (size: number) => ({ size, root: reference.root(0, size) });
  const same = (some: readonly Uint8Array[], others: readonly Uint8Array[]) =>
    Buffer.concat(some).equals(Buffer.concat(others));

  it(
    'that every entry is in every tree are those of the definition, and verify for this entry and place only',
    () => {
      const wrong: string[] = [];
      let proofs = 0;
      for (let size = 1; size <= 130; size += 1) {
        const { root } = head(size);
        for (const [index, leaf] of leaves.slice(0, size).entries()) {
          const path = hashes(inclusionSubtrees(index, size), find);
          const verifies = (claim: { leaf?: Buffer; index?: number; hashes?: readonly Buffer[] }) =>
            rootFromInclusion({ leaf, index, size, hashes: path, ...claim })?.equals(root) === true;
          const other = (index + 1) % size;
          const isRight =
            same(path, reference.path(index, size)) &&
            verifies({}) &&
            !verifies({ hashes: [...path, leaf] }) &&
            (size === 1 || !verifies({ leaf: leaves[other] ?? leaf })) &&
            (size === 1 || !verifies({ index: other })) &&
            (size === 1 || !verifies({ hashes: path.slice(1) }));
          if (!isRight) wrong.push(`${index} of ${size}`);
          proofs += 1;
        }
      }
      expect([proofs, wrong]).toEqual([(130 * 131) / 2, []]);
    },
    EXHAUSTIVE_MILLISECONDS,
  );

  it(
    'that every tree begins every larger one are those of the definition, and verify for these trees only',
    () => {
      const wrong: string[] = [];
      let proofs = 0;
      for (let to = 0; to <= 130; to += 1) {
        for (let from = 0; from <= to; from += 1) {
          const path = hashes(consistencySubtrees(from, to), find);
          const changed = leafHashOf(Buffer.from('another'));
          const isRight =
            same(path, reference.consistency(from, to)) &&
            isBeginningOf(head(from), head(to), path) &&
            !isBeginningOf({ size: from, root: changed }, head(to), path) &&
            // Nothing is the beginning of anything.
            (from === 0 || !isBeginningOf(head(from), { size: to, root: changed }, path)) &&
            !isBeginningOf(head(from), head(to), [...path, changed]) &&
            (path.length === 0 || !isBeginningOf(head(from), head(to), path.slice(0, -1)));
          if (!isRight) wrong.push(`${from} of ${to}`);
          proofs += 1;
        }
      }
      expect([proofs, wrong]).toEqual([(131 * 132) / 2, []]);
    },
    EXHAUSTIVE_MILLISECONDS,
  );
});

describe('a tree in tiles', () => {
  it('has the root of the definition, in whatever batches it grew', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }), (batches) => {
        const size = batches.reduce((sum, batch) => sum + batch, 0);
        const leaves = leavesOf(size);
        const find = grow(leaves, batches);
        expect(
          Buffer.from(rootOf({ start: 0, end: size }, find)).equals(referenceTree(leaves).root(0, size)),
        ).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('proves entries and beginnings over several levels of tiles', () => {
    const size = 66_000;
    const leaves = leavesOf(size);
    const find = grow(leaves, [1, 255, 256, 40_000, 25_488]);
    const root = rootOf({ start: 0, end: size }, find);
    const places = fc.integer({ min: 0, max: size - 1 });
    fc.assert(
      fc.property(places, places, (index, other) => {
        const leaf = leaves[index] ?? Buffer.alloc(0);
        const path = hashes(inclusionSubtrees(index, size), find);
        expect(rootFromInclusion({ leaf, index, size, hashes: path })?.equals(root)).toBe(true);
        const from = { size: other + 1, root: Buffer.from(rootOf({ start: 0, end: other + 1 }, find)) };
        const to = { size, root: Buffer.from(root) };
        expect(isBeginningOf(from, to, hashes(consistencySubtrees(from.size, size), find))).toBe(true);
      }),
    );
  });

  it('reads no tile that the tree of that size does not have', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.nat(2 ** 40), (one, other) => {
        const size = Math.max(one, other) + 1;
        const index = Math.min(one, other);
        const ids = tilesOf([...inclusionSubtrees(index, size), ...consistencySubtrees(index, size)]);
        expect(ids.filter((id) => widthOf(id, size) === 0)).toEqual([]);
        expect(ids.length).toBeLessThan(30);
      }),
    );
  });

  it('of 70,000 entries has the partial tiles that C2SP tlog-tiles names', () => {
    expect(edgeOf(70_000).map((id) => [id.level, id.number, widthOf(id, 70_000)])).toEqual([
      [0, 273, 112],
      [1, 1, 17],
      [2, 0, 1],
    ]);
    expect(edgeOf(256).map((id) => [id.level, id.number, widthOf(id, 256)])).toEqual([[1, 0, 1]]);
    expect(widthOf({ level: 0, number: 272 }, 70_000)).toBe(256);
  });

  it('writes the number of a tile in one way only', () => {
    expect([tileNumberPath(1_234_067), tileNumberPath(67), tileNumberPath(1_000)]).toEqual([
      'x001/x234/067',
      '067',
      'x001/000',
    ]);
    fc.assert(
      fc.property(fc.nat(10 ** 12), fc.integer({ min: 1, max: 255 }), (number, width) => {
        expect(parseTilePath(tileNumberPath(number))).toEqual({ number, width: 256 });
        expect(parseTilePath(`${tileNumberPath(number)}.p/${width}`)).toEqual({ number, width });
      }),
    );
    for (const odd of [
      '',
      '67',
      '0067',
      'x000/067',
      '001/067',
      '067.p/0',
      '067.p/256',
      '067.p/012',
      '067/',
      'x001',
    ])
      expect([odd, parseTilePath(odd)]).toEqual([odd, undefined]);
  });
});
