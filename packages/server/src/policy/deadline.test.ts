import type { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { type DeadlineRules, deadlineOf } from './deadline.ts';

const at = (day: string) => new Date(`${day}T12:00:00Z`);
const rules = (law: api.Regime, place = ''): DeadlineRules => {
  const [country = '', region = ''] = place.split('-');
  return { law, country: country || null, region: region || null, timeZone: 'UTC' };
};
const dueDay = (options: Parameters<typeof deadlineOf>[0]) =>
  deadlineOf(options).dueAt.toISOString().replace('T23:59:59.999Z', '');

describe('the answer is due', () => {
  it.each<[api.Regime, string, string, string, string]>([
    // Counted by hand on a calendar.
    ['gdpr', '', '2026-01-15', '2026-02-16', 'a Sunday moves to Monday'],
    ['gdpr', '', '2026-01-31', '2026-03-02', 'the last day of February is a Saturday'],
    ['gdpr', '', '2028-01-31', '2028-02-29', 'a leap year'],
    ['gdpr', '', '2026-12-31', '2027-02-01', 'over the end of the year, a Sunday'],
    ['gdpr', 'de', '2026-03-02', '2026-04-02', 'the Thursday before Easter'],
    ['gdpr', 'de', '2026-03-03', '2026-04-07', 'Good Friday, the weekend, Easter Monday'],
    ['gdpr', 'fr', '2026-03-03', '2026-04-03', 'Good Friday is worked in most of France'],
    ['gdpr', 'de-by', '2026-05-04', '2026-06-05', 'Corpus Christi in Bavaria'],
    ['gdpr', 'de-be', '2026-05-04', '2026-06-04', 'and not in Berlin'],
    // EDPB Guidelines 01/2022 on the right of access, section 5.3: 5 March to 5 April, 31 August to 30 September.
    ['gdpr', '', '2024-03-05', '2024-04-05', 'the same date'],
    ['gdpr', '', '2024-08-31', '2024-09-30', 'a month without such a day'],
    // ICO, right of access: received on 3 September, due on 3 October, or on the next working day.
    ['uk-gdpr', 'gb-eng', '2025-09-03', '2025-10-03', 'the corresponding date'],
    ['uk-gdpr', 'gb-eng', '2026-09-03', '2026-10-05', 'a Saturday'],
    ['uk-gdpr', 'gb-eng', '2026-11-25', '2026-12-29', 'Christmas, and the substitute of Boxing Day'],
    // 31 days of January from the first on, and 14 of February.
    ['ccpa', 'us-ca', '2026-01-01', '2026-02-14', 'the day of receipt is the first of 45'],
    ['us-states', 'us', '2026-01-01', '2026-02-15', 'the day after receipt is the first of 45'],
    ['lgpd', 'br', '2026-03-02', '2026-03-17', '15 days'],
    ['pipeda', 'ca', '2026-03-02', '2026-04-01', '30 days'],
    ['quebec-25', 'ca-qc', '2026-03-02', '2026-04-01', '30 days'],
  ])('by %s %s, received on %s: on %s (%s)', (law, place, received, want) => {
    expect(dueDay({ ...rules(law, place), receivedAt: at(received) })).toBe(want);
  });

  it('by the days of the time zone, also where its clocks change', () => {
    const { dueAt } = deadlineOf({
      ...rules('gdpr', 'de'),
      timeZone: 'Europe/Berlin',
      receivedAt: new Date('2026-03-02T23:30:00Z'),
    });
    expect(dueAt.toISOString()).toBe('2026-04-07T21:59:59.999Z');
  });

  it('and every step is told in words', () => {
    const { explanation } = deadlineOf({ ...rules('gdpr', 'de'), receivedAt: at('2026-03-03') });
    expect(explanation).toEqual([
      'Received on Tuesday 3 March 2026 (UTC); GDPR (EU): Regulation (EU) 2016/679 Art. 12(3), (4), (6); Regulation 1182/71 Art. 3',
      '1 month → Friday 3 April 2026',
      'Friday 3 April 2026 is no working day (Good Friday)',
      'Saturday 4 April 2026 is no working day (a Saturday)',
      'Sunday 5 April 2026 is no working day (a Sunday)',
      'Monday 6 April 2026 is no working day (Easter Monday)',
      'Due at the end of Tuesday 7 April 2026',
    ]);
  });
});

describe('receipt is to be confirmed', () => {
  it('within ten business days in California', () => {
    const { acknowledgeBy } = deadlineOf({ ...rules('ccpa', 'us-ca'), receivedAt: at('2026-01-01') });
    expect(acknowledgeBy?.toISOString()).toBe('2026-01-15T23:59:59.999Z');
  });

  it('at no set time elsewhere', () => {
    expect(deadlineOf({ ...rules('gdpr'), receivedAt: at('2026-01-01') }).acknowledgeBy).toBeNull();
  });
});

describe('an extension', () => {
  it.each<[api.Regime, string, string]>([
    ['gdpr', '2026-03-16', '2026-06-02'],
    ['ccpa', '2026-04-15', '2026-05-30'],
    ['us-states', '2026-04-16', '2026-05-31'],
    ['pipeda', '2026-04-01', '2026-05-01'],
  ])('of %s told by %s ends on %s', (law, told, want) => {
    const options = { ...rules(law), receivedAt: at('2026-03-02') };
    expect(dueDay({ ...options, extensions: [{ noticeGivenAt: at(told) }] })).toBe(want);
  });

  it.each<[api.Regime, readonly string[], string]>([
    ['gdpr', ['2026-04-03'], 'the last day for the notice was Thursday 2 April 2026'],
    ['ccpa', ['2026-04-16'], 'the last day for the notice was Wednesday 15 April 2026'],
    ['gdpr', ['2026-03-16', '2026-03-17'], 'the law knows only one'],
    ['lgpd', ['2026-03-03'], 'the law knows none'],
  ])('of %s told on %s is not counted: %s', (law, told, why) => {
    const options = { ...rules(law), receivedAt: at('2026-03-02') };
    const extensions = told.map((day) => ({ noticeGivenAt: at(day) }));
    const { dueAt, explanation } = deadlineOf({ ...options, extensions });
    expect(explanation.join('\n')).toContain(why);
    expect(dueAt).toEqual(deadlineOf({ ...options, extensions: extensions.slice(0, -1) }).dueAt);
  });
});

describe('a stop of the clock', () => {
  const uk = { ...rules('uk-gdpr'), receivedAt: at('2026-03-02') };
  const stop = (reason: 'identity' | 'clarification', from: string, until: string | null) => ({
    reason,
    from: at(from),
    until: until === null ? null : at(until),
  });

  it('moves the end by its days', () => {
    expect(dueDay({ ...uk, stops: [stop('clarification', '2026-03-10', '2026-03-16')] })).toBe('2026-04-08');
  });

  it('counts once where two overlap, in any order', () => {
    const stops = [
      stop('identity', '2026-03-12', '2026-03-17'),
      stop('clarification', '2026-03-10', '2026-03-16'),
    ];
    expect(dueDay({ ...uk, stops })).toBe('2026-04-09');
    expect(dueDay({ ...uk, stops: stops.toReversed() })).toBe('2026-04-09');
  });

  it.each([
    ['has not ended', stop('identity', '2026-03-10', null), 'counted when it has ended'],
    ['began too late', stop('identity', '2026-04-03', '2026-04-05'), 'the term had ended'],
  ])('that %s moves nothing', (_, one, why) => {
    const { dueAt, explanation } = deadlineOf({ ...uk, stops: [one] });
    expect(dueAt).toEqual(deadlineOf(uk).dueAt);
    expect(explanation.join('\n')).toContain(why);
  });

  it('for a reason that the law does not know moves nothing', () => {
    const stops = [stop('clarification', '2026-03-10', '2026-03-16')];
    expect(dueDay({ ...uk, law: 'gdpr', stops })).toBe('2026-04-02');
  });
});
