import type { api } from '@habeas/contract';
import { Temporal } from 'temporal-polyfill';
import { type DaysOff, daysOffIn, type Place } from './days-off.ts';
import { LAWS, type TermsAsked, termsOf } from './laws.ts';
import type { Law, StopReason, Term } from './term.ts';

/** By which law and calendar terms are counted. */
export interface DeadlineRules extends Place {
  readonly law: api.Regime;
  /** The terms of the law as they were when the request was received. (Default: as they are known now) */
  readonly terms?: Law;
  /** IANA name; the day of receipt and the end of a day are those of this zone. */
  readonly timeZone: string;
}

interface Extension {
  /** When the person was told, with the reasons. */
  readonly noticeGivenAt: Date;
}

interface ClockStop {
  readonly reason: StopReason;
  /** When the person was asked. */
  readonly from: Date;
  /** When they answered; null: not yet. A stop counts once it has ended. */
  readonly until: Date | null;
}

interface DeadlineOptions extends DeadlineRules {
  readonly receivedAt: Date;
  readonly extensions?: readonly Extension[];
  readonly stops?: readonly ClockStop[];
}

interface Deadline {
  /** The last millisecond in which the answer is in time. */
  readonly dueAt: Date;
  /** The last millisecond in which receipt can be confirmed; null where the law sets no such term. */
  readonly acknowledgeBy: Date | null;
  /** Each step of the count in words, in order; holds no personal data. */
  readonly explanation: readonly string[];
}

/** The days of one count, and what to say of it. */
interface Count {
  readonly law: Law;
  readonly off: DaysOff;
  readonly dayOf: (at: Date) => Temporal.PlainDate;
  readonly say: (sentence: string) => void;
}

/**
 * When an answer is due. Pure: the same options give the same deadline. What the law does not allow (an extension without
 * timely notice, a second one, a stop for another reason) moves nothing, and the explanation says so.
 */
export function deadlineOf(options: DeadlineOptions): Deadline {
  const explanation: string[] = [];
  const count: Count = {
    law: options.terms ?? LAWS[options.law],
    off: daysOffIn(options),
    dayOf: (at) =>
      Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(options.timeZone).toPlainDate(),
    say: (sentence) => explanation.push(sentence),
  };
  const received = count.dayOf(options.receivedAt);
  const { law, say } = count;
  say(`Received on ${words(received)} (${options.timeZone}); ${law.name}: ${law.source}`);
  const acknowledge =
    law.acknowledgement === null ? null : add({ count, from: received, term: law.acknowledgement });
  if (acknowledge !== null) say(`Receipt is to be confirmed by ${words(acknowledge)}`);

  const first = add({ count, from: received, term: law.answer });
  say(`${termInWords(law.answer)} → ${words(first)}`);
  const extended = extend({ count, first, extensions: options.extensions ?? [] });
  const moved = stopClock({ count, received, end: extended, stops: options.stops ?? [] });
  const due = rollOver(count, moved);
  say(`Due at the end of ${words(due)}`);
  return {
    dueAt: endOf(due, options.timeZone),
    acknowledgeBy: acknowledge === null ? null : endOf(acknowledge, options.timeZone),
    explanation,
  };
}

/**
 * The rules with the terms that the law has now for such a request, so that what is stored with it does not change with the table of
 * laws. undefined: an appeal that the law does not know.
 */
export function freezeDeadlineRules(rules: DeadlineRules, asked: TermsAsked): DeadlineRules | undefined {
  const terms = termsOf(rules.law, asked);
  return terms === undefined ? undefined : { ...rules, terms };
}

/** The last day of a term. */
function add(options: { readonly count: Count; readonly from: Temporal.PlainDate; readonly term: Term }) {
  const { from, term } = options;
  // 'constrain': the last day of a month that has no such day.
  if (term.unit === 'months') return from.add({ months: term.amount }, { overflow: 'constrain' });
  const start = term.firstDay === 'receipt' ? from.subtract({ days: 1 }) : from;
  if (term.unit === 'days') return start.add({ days: term.amount });
  let day = start;
  for (let left = term.amount; left > 0; ) {
    day = day.add({ days: 1 });
    if (options.count.off(day) === undefined) left -= 1;
  }
  return day;
}

function extend(options: {
  readonly count: Count;
  readonly first: Temporal.PlainDate;
  readonly extensions: readonly Extension[];
}): Temporal.PlainDate {
  const { law, say, dayOf } = options.count;
  const noticeBy = rollOver({ ...options.count, say: () => undefined }, options.first);
  let end = options.first;
  let extended: 'not yet' | 'once' = 'not yet';
  for (const { noticeGivenAt } of options.extensions) {
    const told = dayOf(noticeGivenAt);
    const notice = `An extension, told on ${words(told)}`;
    if (law.extension === null) say(`${notice}, is not counted: the law knows none`);
    else if (extended === 'once') say(`${notice}, is not counted: the law knows only one`);
    else if (Temporal.PlainDate.compare(told, noticeBy) > 0)
      say(`${notice}, is not counted: the last day for the notice was ${words(noticeBy)}`);
    else {
      end = add({ count: options.count, from: options.first, term: law.extension });
      extended = 'once';
      say(`${notice}: ${termInWords(law.extension)} more → ${words(end)}`);
    }
  }
  return end;
}

function stopClock(options: {
  readonly count: Count;
  readonly received: Temporal.PlainDate;
  readonly end: Temporal.PlainDate;
  readonly stops: readonly ClockStop[];
}): Temporal.PlainDate {
  const { law, say, dayOf, off } = options.count;
  let end = options.end;
  let counted = options.received;
  for (const stop of [...options.stops].sort((a, b) => a.from.getTime() - b.from.getTime())) {
    const asked = dayOf(stop.from);
    const what = `A stop of the clock from ${words(asked)} (${stop.reason})`;
    if (!law.stops.includes(stop.reason)) say(`${what} is not counted: the law knows none for this reason`);
    else if (stop.until === null) say(`${what} is counted when it has ended`);
    else if (Temporal.PlainDate.compare(asked, rollOver({ law, off, dayOf, say: () => undefined }, end)) > 0)
      say(`${what} is not counted: the term had ended`);
    else {
      const answered = dayOf(stop.until);
      // Stops that overlap count once; none counts before receipt.
      const from = Temporal.PlainDate.compare(asked, counted) > 0 ? asked : counted;
      const stopped = Math.max(0, from.until(answered, { largestUnit: 'days' }).days);
      end = end.add({ days: stopped });
      counted = from.add({ days: stopped });
      say(`${what} until ${words(answered)}: ${plural(stopped, 'day')} → ${words(end)}`);
    }
  }
  return end;
}

/** The next working day, where the law moves the end of a term to it. */
function rollOver({ law, off, say }: Count, end: Temporal.PlainDate): Temporal.PlainDate {
  if (law.rollOver === 'none') return end;
  let day = end;
  for (let why = off(day); why !== undefined; why = off(day)) {
    say(`${words(day)} is no working day (${why})`);
    day = day.add({ days: 1 });
  }
  return day;
}

function endOf(day: Temporal.PlainDate, timeZone: string): Date {
  return new Date(day.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds - 1);
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

function words(day: Temporal.PlainDate): string {
  return `${WEEKDAYS[day.dayOfWeek - 1]} ${day.day} ${MONTHS[day.month - 1]} ${day.year}`;
}

/** Such as `45 days, the day of receipt counted`. */
export function termInWords({ amount, unit, firstDay }: Term): string {
  const one = { months: 'month', days: 'day', 'business-days': 'business day' }[unit];
  return `${plural(amount, one)}${firstDay === 'receipt' ? ', the day of receipt counted' : ''}`;
}

function plural(amount: number, one: string): string {
  return `${amount} ${one}${amount === 1 ? '' : 's'}`;
}
