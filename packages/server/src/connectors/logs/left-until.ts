import { Temporal } from 'temporal-polyfill';
import type { KeepUnit } from '../../catalog/index.ts';

/** The date on which something that is left for a time is gone. Calendar units: a month is a calendar month. */
export function leftUntil(now: Date, time: { readonly count: number; readonly unit: KeepUnit }): string {
  const today = Temporal.PlainDate.from(now.toISOString().slice(0, 'YYYY-MM-DD'.length));
  return today.add({ [`${time.unit}s`]: time.count }).toString();
}
