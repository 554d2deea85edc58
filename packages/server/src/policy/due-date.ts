import { Temporal } from 'temporal-polyfill';

/**
 * When an answer is due: one calendar month after receipt (GDPR Art. 12(3)), counted as Regulation 1182/71 Art. 3(2)(c)
 * counts months: the same day of the next month, or that month's last day if it has no such day. The term ends with
 * the day, in UTC.
 */
export function dueDate(receivedAt: Date): Date {
  const day = Temporal.Instant.fromEpochMilliseconds(receivedAt.getTime())
    .toZonedDateTimeISO('UTC')
    .toPlainDate();
  const last = day.add({ months: 1 }, { overflow: 'constrain' });
  const endOfDay = last.add({ days: 1 }).toZonedDateTime('UTC').subtract({ milliseconds: 1 });
  return new Date(endOfDay.epochMilliseconds);
}
