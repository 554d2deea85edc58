import type { api } from '@habeas/contract';
import Holidays from 'date-holidays';
import { describe, expect, it } from 'vitest';
import { deadlineOf } from './deadline.ts';
import { LAW_IDS, LAWS, type TermsAsked, termsOf } from './laws.ts';
import type { Law, Term } from './term.ts';

// A second way to count, which walks from day to day with nothing but Date in UTC.
const DAY = 86_400_000;
const FIRST = Date.UTC(2024, 0, 1);
const LAST = Date.UTC(2036, 11, 31);
const PLACES: Readonly<Partial<Record<api.Regime, readonly [string, string]>>> = {
  gdpr: ['DE', 'BY'],
  'uk-gdpr': ['GB', 'ENG'],
  ccpa: ['US', 'CA'],
  lgpd: ['BR', 'SP'],
  pipeda: ['CA', 'ON'],
  'quebec-25': ['CA', 'QC'],
  'us-states': ['US', 'VA'],
};

function publicHolidays(country: string, region: string): ReadonlySet<number> {
  const library = new Holidays(country, region, { types: ['public'] });
  const years = Array.from({ length: 14 }, (_, index) => 2024 + index);
  return new Set(
    years.flatMap((year) => library.getHolidays(year).map(({ date }) => Date.parse(date.slice(0, 10)))),
  );
}

function walk(from: number, term: Term, works: (day: number) => boolean): number {
  if (term.unit === 'months') return endOfMonths(from, term.amount);
  let day = from;
  let counted = term.firstDay === 'receipt' ? 1 : 0;
  while (counted < term.amount) {
    day += DAY;
    if (term.unit === 'days' || works(day)) counted += 1;
  }
  return day;
}

/** Walks until the date comes round, or the month in which it should have has passed. */
function endOfMonths(from: number, months: number): number {
  const wanted = new Date(from).getUTCDate();
  let passed = 0;
  for (let day = from + DAY; ; day += DAY) {
    if (new Date(day).getUTCDate() === 1) passed += 1;
    if (passed > months) return day - DAY;
    if (passed === months && new Date(day).getUTCDate() === wanted) return day;
  }
}

/** Each law, and each right and the appeal that it has other terms for. */
const CASES = LAW_IDS.flatMap((id): readonly (readonly [api.Regime, string, TermsAsked])[] => {
  const law: Law = LAWS[id];
  const own = Object.keys(law.rights ?? {}) as api.Right[];
  return [
    [id, 'any other right', { right: 'access' }],
    ...own.map((right) => [id, right, { right }] as const),
    ...(law.appeal === null ? [] : [[id, 'an appeal', { right: 'access', appeal: true }] as const]),
  ];
});

describe.each(CASES)('every start from 2024 to 2036 by %s, %s', (id, _, asked) => {
  const terms = termsOf(id, asked);
  if (terms === undefined) throw new Error(`${id} has no such terms`);
  const law: Law = terms;
  const [country, region] = PLACES[id] ?? ['US', id.replace('us-', '').toUpperCase()];
  const holidays = publicHolidays(country, region);
  const works = (day: number) => ![0, 6].includes(new Date(day).getUTCDay()) && !holidays.has(day);
  const roll = (day: number): number => (law.rollOver === 'none' || works(day) ? day : roll(day + DAY));
  const rules = { law: id, country, region, timeZone: 'UTC', terms: law };

  it('ends on the day that a walk from day to day finds, with its extension and a stop', () => {
    const differing: unknown[] = [];
    for (let start = FIRST; start <= LAST; start += DAY) {
      const first = walk(start, law.answer, works);
      const later = law.extension === null ? first : walk(first, law.extension, works);
      const stopped = (start / DAY) % 9;
      const acknowledge = law.acknowledgement === null ? null : walk(start, law.acknowledgement, works);
      const hour = (start / DAY) % 24;
      const receivedAt = new Date(start + hour * 3_600_000);
      const plain = deadlineOf({ ...rules, receivedAt });
      const moved = deadlineOf({
        ...rules,
        receivedAt,
        extensions: [{ noticeGivenAt: new Date(roll(first)) }],
        stops: [
          { reason: 'identity', from: new Date(start + DAY), until: new Date(start + (1 + stopped) * DAY) },
        ],
      });
      const got = [plain.dueAt, plain.acknowledgeBy, moved.dueAt].map((end) => end?.getTime());
      const stops = law.stops.includes('identity') ? stopped : 0;
      const want = [roll(first), acknowledge, roll(later + stops * DAY)].map((day) =>
        day === null ? undefined : day + DAY - 1,
      );
      if (got.join() !== want.join()) differing.push({ start: new Date(start), got, want });
    }
    expect(differing).toEqual([]);
  });
});
