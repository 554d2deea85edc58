/*
 * Values as `int4send` and `timestamptz_send` write them, one after the other, in pieces: rows of megabytes are put together in
 * ever larger memory before they are read. Such values are written and read several times faster than their texts.
 */

/** PostgreSQL counts from the year 2000. */
const EPOCH = Date.UTC(2000, 0, 1);

/** Of type `integer`. */
export function readIntegers(pieces: readonly Buffer[]): Int32Array {
  const numbers = new Int32Array(lengthOf(pieces, 4));
  let index = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += 4) {
      numbers[index] = piece.readInt32BE(at);
      index += 1;
    }
  }
  return numbers;
}

/** Of type `timestamptz`, of the years 1715 to 2284, in milliseconds, cut like a `Date`. */
export function readTimes(pieces: readonly Buffer[]): Float64Array {
  const times = new Float64Array(lengthOf(pieces, 8));
  let index = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += 8) {
      const microseconds = piece.readInt32BE(at) * 2 ** 32 + piece.readUInt32BE(at + 4);
      times[index] = Math.floor(microseconds / 1_000) + EPOCH;
      index += 1;
    }
  }
  return times;
}

function lengthOf(pieces: readonly Buffer[], size: number): number {
  return pieces.reduce((sum, { length }) => sum + length, 0) / size;
}
