import type { KeepUnit } from '../../catalog/index.ts';
import { addAge } from '../add-age.ts';

/** The date on which something that is left for a time is gone. */
export function leftUntil(now: Date, time: { readonly count: number; readonly unit: KeepUnit }): string {
  return addAge(now, time).toISOString().slice(0, 'YYYY-MM-DD'.length);
}
