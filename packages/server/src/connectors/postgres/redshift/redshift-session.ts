import type { SessionWays } from '../session-ways.ts';
import { SETTING } from './redshift-dialect.ts';
import { literal } from './redshift-values.ts';

/** Settings of our own connections; the ones that decide how values are printed, and how names are read. */
const SETTINGS: Readonly<Record<string, string>> = {
  datestyle: `'ISO, YMD'`,
  timezone: `'UTC'`,
  extra_float_digits: '2',
  // Otherwise even a name in quotes is read in small letters.
  enable_case_sensitive_identifier: 'true',
};

/** How a transaction is held with Amazon Redshift. All are serializable, by snapshots. */
export const REDSHIFT_SESSION: SessionWays = {
  begin: () => ['begin', ...Object.entries(SETTINGS).map(([name, value]) => `set ${name} to ${value}`)],
  // UNLOAD writes to S3 alone.
  copies: false,
  fill(text, values) {
    let filled = text;
    for (const [name, value] of values) filled = filled.replaceAll(SETTING[name], literal(value));
    return filled;
  },
};
