const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
] as const;

/** A time in the largest unit of which it is a whole number: `36 hours`. */
export function inWords(milliseconds: number): string {
  for (const [unit, size] of UNITS)
    if (milliseconds % size === 0) {
      const count = milliseconds / size;
      return `${count} ${unit}${count === 1 ? '' : 's'}`;
    }
  return `${milliseconds} milliseconds`;
}
