import { Temporal } from 'temporal-polyfill';
import type { KeepUnit } from '../catalog/index.ts';

/** A time that is so much later. Calendar units: a month is a calendar month (UTC). */
export function addAge(since: Date, age: { readonly count: number; readonly unit: KeepUnit }): Date {
  const then = Temporal.Instant.fromEpochMilliseconds(since.getTime()).toZonedDateTimeISO('UTC');
  return new Date(then.add({ [`${age.unit}s`]: age.count }).epochMilliseconds);
}
