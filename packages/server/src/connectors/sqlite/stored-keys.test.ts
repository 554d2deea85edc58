import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keySource } from './stored-keys.ts';

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
