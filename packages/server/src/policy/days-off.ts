import { createRequire } from 'node:module';
import type { Temporal } from 'temporal-polyfill';

/** Where somebody works: an ISO 3166 country and its part (`de`, `by`), in any case; null: nowhere in particular. */
export interface Place {
  readonly country: string | null;
  readonly region: string | null;
}

/** Why a day is no working day, in words; undefined: it is one. */
export type DaysOff = (day: Temporal.PlainDate) => string | undefined;

const require = createRequire(import.meta.url);
const holidaysOfYears = new Map<string, ReadonlyMap<string, string>>();

/** Saturdays, Sundays and the public holidays of a place; without a country, the weekends alone. */
export function daysOffIn(place: Place): DaysOff {
  const parts = [place.country, place.region].flatMap((part) => (part === null ? [] : [part.toUpperCase()]));
  return (day) => {
    if (day.dayOfWeek === 6) return 'a Saturday';
    if (day.dayOfWeek === 7) return 'a Sunday';
    return parts.length === 0 ? undefined : holidays(parts, day.year).get(day.toString());
  };
}

/** What is wrong with a place, and which of its two parts; undefined if its holidays are known. */
export function mistakeInPlace(
  place: Place,
): { readonly part: keyof Place; readonly message: string } | undefined {
  if (place.country === null)
    return place.region === null ? undefined : { part: 'region', message: 'a region needs its country' };
  const known = new (holidayLibrary())();
  const country = place.country.toUpperCase();
  if (!(country in known.getCountries()))
    return {
      part: 'country',
      message: 'no country whose public holidays are known (ISO 3166-1, such as de)',
    };
  const regions = Object.keys(known.getStates(country) ?? {});
  if (place.region === null || regions.includes(place.region.toUpperCase())) return undefined;
  const some = regions.length === 0 ? 'it has none' : `one of ${regions.join(', ').toLowerCase()}`;
  return {
    part: 'region',
    message: `no region of ${place.country} whose public holidays are known; ${some}`,
  };
}

function holidays(parts: readonly string[], year: number): ReadonlyMap<string, string> {
  const key = [...parts, year].join('/');
  const known = holidaysOfYears.get(key);
  if (known !== undefined) return known;
  const [country = '', region = ''] = parts;
  const all = new (holidayLibrary())(country, region, { types: ['public'], languages: ['en'] });
  // Half days are worked, and of a holiday of several days only the first is not: a term never ends later for it.
  const whole = all
    .getHolidays(year)
    .filter(({ date, start, end }) => date.includes(' 00:00:00') && hours(start, end) >= 23);
  const found = new Map(whole.map(({ date, name }) => [date.slice(0, 10), name]));
  holidaysOfYears.set(key, found);
  return found;
}

function hours(start: Date, end: Date): number {
  return (end.getTime() - start.getTime()) / 3_600_000;
}

/** Loaded only for those who name a country: it holds the holidays of the whole world, 35 MB of memory. */
function holidayLibrary(): typeof import('date-holidays').default {
  return require('date-holidays');
}
