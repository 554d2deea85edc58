/*
 * Arrays as `array_send` writes them: a head of 20 bytes, then each element after its length, which is always the same
 * here. Such an array is written and read several times faster than its text.
 */

const HEAD = 20;
const LENGTH = 4;

/** PostgreSQL counts from the year 2000. */
const EPOCH = Date.UTC(2000, 0, 1);

/** An `integer[]` without nulls; null: no row was aggregated. */
export function readIntegers(array: Buffer | null | undefined): Int32Array {
  const numbers = new Int32Array(lengthOf(array, 4));
  for (let index = 0, at = HEAD + LENGTH; index < numbers.length; index += 1, at += LENGTH + 4) {
    numbers[index] = array?.readInt32BE(at) ?? 0;
  }
  return numbers;
}

/** A `timestamptz[]` without nulls, of the years 1715 to 2284, in milliseconds, cut like a `Date`; null: no row was aggregated. */
export function readTimes(array: Buffer | null | undefined): Float64Array {
  const times = new Float64Array(lengthOf(array, 8));
  for (let index = 0, at = HEAD + LENGTH; index < times.length; index += 1, at += LENGTH + 8) {
    const microseconds = (array?.readInt32BE(at) ?? 0) * 2 ** 32 + (array?.readUInt32BE(at + 4) ?? 0);
    times[index] = Math.floor(microseconds / 1_000) + EPOCH;
  }
  return times;
}

function lengthOf(array: Buffer | null | undefined, size: number): number {
  return array === null || array === undefined ? 0 : Math.max(0, array.length - HEAD) / (LENGTH + size);
}
