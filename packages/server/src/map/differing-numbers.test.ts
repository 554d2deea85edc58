import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differingNumbers } from './differing-numbers.ts';

it('tells what is in one of two sets alone, whatever stands in them more than once', () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 });
  fc.assert(
    fc.property(numbers, numbers, (one, other) => {
      const found = differingNumbers(Int32Array.from(one).sort(), Int32Array.from(other).sort());
      const differing = new Set(one).symmetricDifference(new Set(other));
      expect([...found]).toEqual([...differing].sort((a, b) => a - b));
    }),
  );
});
