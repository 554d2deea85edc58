/*
 * Arrays as `array_send` writes them: a head of 20 bytes, then each element after its length, which is always the same
 * here. Such an array is written and read several times faster than its text.
 */

const HEAD = 20;
const LENGTH = 4;

/** PostgreSQL counts from the year 2000. */
const EPOCH = Date.UTC(2000, 0, 1);

/** An `integer[]` without nulls; null: no row was aggregated. */
export function readIntegers(array: Buffer | null | undefined): readonly number[] {
  return read(array, 4, (bytes, at) => bytes.readInt32BE(at));
}

/** A `timestamptz[]` without nulls, of the years 1715 to 2284, in milliseconds, cut like a `Date`; null: no row was aggregated. */
export function readTimes(array: Buffer | null | undefined): readonly number[] {
  return read(array, 8, (bytes, at) => {
    const microseconds = bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
    return Math.floor(microseconds / 1_000) + EPOCH;
  });
}

function read(
  array: Buffer | null | undefined,
  size: number,
  element: (bytes: Buffer, at: number) => number,
): readonly number[] {
  const read: number[] = [];
  if (array === null || array === undefined) return read;
  for (let at = HEAD + LENGTH; at < array.length; at += LENGTH + size) read.push(element(array, at));
  return read;
}
