import fc from 'fast-check';
import { expect, it } from 'vitest';
import { groupsOf, keySource, type StoredKey } from './stored-keys.ts';

/** Numbers of which many begin like others, and many stand next to each other. */
const firstParts = fc
  .array(
    fc.tuple(
      fc.oneof(fc.integer({ min: -12, max: 121 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      fc.integer({ min: 1, max: 4 }),
    ),
  )
  .map((runs) => runs.flatMap(([number, times]) => Array.from({ length: times }, () => `${number}`)));

it('looks for each first part of a key, once where those that are the same follow each other', () => {
  fc.assert(
    fc.property(fc.array(firstParts, { maxLength: 3 }), (batches) => {
      const columns = ['one', 'two'].map((name) => ({ name, column: undefined }));
      const arrays = batches.map((numbers) => `[${numbers.join(',')}]`);
      const { firsts } = keySource(columns, [arrays, arrays]);
      const all = batches.flat();
      const once = all.filter((number, at) => number !== all[at - 1]);
      expect(firsts?.values).toEqual([`[${once.join(',')}]`]);
    }),
    { numRuns: 500 },
  );
});

const part = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -2, max: 4 }) },
  fc.constantFrom<StoredKey>(null, 2n ** 62n, 2n ** 62n + 1n, 't1', 't1,2', 'i1', 'r0.5', 'b01'),
);

it.each([2, 3, 4])('groups of keys of %i parts name each key once, and no other', (length) => {
  const keys = fc.uniqueArray(fc.array(part, { minLength: length, maxLength: length }), {
    selector: nameOf,
    maxLength: 60,
  });
  fc.assert(
    fc.property(keys, (rows) => {
      const sorted = rows.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
      const parts = Array.from({ length }, (_, at) => sorted.map((row) => row[at] ?? null));
      const groups = groupsOf(parts, rows.length) ?? [];
      if (rows.length > 0) expect(groupsOf(parts, groups.length - 1)).toBeUndefined();
      const named = groups.flatMap(({ firsts, middle, from, to }) =>
        firsts.flatMap((first) => between(from, to).map((last) => nameOf([first, ...middle, last]))),
      );
      expect(named.toSorted()).toEqual(rows.map(nameOf).toSorted());
      expect(new Set(groups.map(({ from, to, middle }) => nameOf([from, to, ...middle]))).size).toBe(
        groups.length,
      );
    }),
    { numRuns: 1_000 },
  );
});

function between(from: StoredKey, to: StoredKey): readonly StoredKey[] {
  if (from === to) return [from];
  if (typeof from === 'bigint' && typeof to === 'bigint')
    return Array.from({ length: Number(to - from) + 1 }, (_, at) => from + BigInt(at));
  if (typeof from !== 'number' || typeof to !== 'number') throw new Error('Only whole numbers have a range.');
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

function nameOf(key: readonly StoredKey[]): string {
  return key.map((value) => (typeof value === 'string' ? JSON.stringify(value) : `${value}`)).join(' ');
}
