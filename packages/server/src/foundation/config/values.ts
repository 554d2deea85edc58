import * as z from 'zod';
import { HabeasError } from '../errors.ts';

/** `5s`, `10m`, `2h`, `30d` → milliseconds. */
export const span = z
  .string()
  .regex(/^\d{1,6}(ms|s|m|h|d)$/, 'a duration such as 500ms, 5s, 10m, 2h or 30d')
  .transform(durationToMilliseconds);

/** A span that something waits for. */
export const duration = span
  // A timer of Node cannot wait longer than 2^31 - 1 milliseconds; it would run at once instead.
  .refine((milliseconds) => milliseconds < 2 ** 31, 'at most 24 days');

export const key = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a key of lower-case letters, digits, - and _');

/** What both sides sign with. */
export const signingSecret = z
  .string()
  .regex(
    /^(whsec_)?[A-Za-z0-9+/]{32,86}={0,2}$/,
    '24 to 64 bytes in base64, such as `openssl rand -base64 32` prints',
  );

export const httpUrl = z.url({ protocol: /^https?$/ });

/** Names a source in the map and in messages. */
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name of letters, digits, dots, - and _');

const UNIT_MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `10m` → 600000. The text must have passed the pattern above. */
export function durationToMilliseconds(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2] as keyof typeof UNIT_MILLISECONDS | undefined;
  if (match?.[1] === undefined || unit === undefined)
    throw new HabeasError('CONFIG_INVALID', `"${text}" is not a duration such as 5s, 10m or 30d.`);
  return Number(match[1]) * UNIT_MILLISECONDS[unit];
}
