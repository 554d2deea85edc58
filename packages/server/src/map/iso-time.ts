const DAY = 86_400_000;
const ZERO = 0x30;

/** How many bytes {@link writeIsoTime} writes. */
export const ISO_TIME_BYTES = '2026-01-01T00:00:00.000Z'.length;

/**
 * Writes what `Date.prototype.toISOString` gives for a time in milliseconds, of the years 0 to 9999. An answer may have
 * tens of thousands of times, and a text for each takes longer than all the rest of it.
 */
export function writeIsoTime(target: Uint8Array, at: number, milliseconds: number): void {
  const day = Math.floor(milliseconds / DAY);
  const time = milliseconds - day * DAY;
  const { year, month, date } = dateOf(day);
  writeTwo(target, at, Math.floor(year / 100));
  writeTwo(target, at + 2, year % 100);
  target[at + 4] = 0x2d;
  writeTwo(target, at + 5, month);
  target[at + 7] = 0x2d;
  writeTwo(target, at + 8, date);
  target[at + 10] = 0x54;
  writeTwo(target, at + 11, Math.floor(time / 3_600_000));
  target[at + 13] = 0x3a;
  writeTwo(target, at + 14, Math.floor(time / 60_000) % 60);
  target[at + 16] = 0x3a;
  writeTwo(target, at + 17, Math.floor(time / 1_000) % 60);
  target[at + 19] = 0x2e;
  target[at + 20] = ZERO + (Math.floor(time / 100) % 10);
  writeTwo(target, at + 21, time % 100);
  target[at + 23] = 0x5a;
}

function writeTwo(target: Uint8Array, at: number, value: number): void {
  target[at] = ZERO + Math.floor(value / 10);
  target[at + 1] = ZERO + (value % 10);
}

/** 400 years, after which the calendar begins again, and the days before 1970-01-01 that 0000-03-01 is. */
const ERA_DAYS = 146_097;
const DAYS_TO_1970 = 719_468;

/**
 * The date of a day since 1970. Counted in years that begin in March, so that a leap day is the last one of its year
 * (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, civil_from_days).
 */
function dateOf(day: number): { readonly year: number; readonly month: number; readonly date: number } {
  const days = day + DAYS_TO_1970;
  const era = Math.floor(days / ERA_DAYS);
  const dayOfEra = days - era * ERA_DAYS;
  const leaps = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    date: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  };
}
