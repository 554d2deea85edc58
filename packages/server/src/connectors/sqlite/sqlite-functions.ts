import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { Temporal } from 'temporal-polyfill';
import { createHasOne, textsInside } from './texts-inside.ts';

/**
 * What SQLite's SQL lacks, as functions: the clock, hashes with a salt, calendar spans, letters without regard to case. `settings`: what the
 * transaction says of `now` and `salt`.
 */
export function addFunctions(database: DatabaseSync, settings: ReadonlyMap<string, string>): void {
  const pure = { deterministic: true } as const;
  database.function('habeas_now', () => settings.get('now') ?? null);
  database.function('habeas_salted_hash', (text) => sha256(`${settings.get('salt')}${text}`));
  database.function('habeas_hash', pure, (text) => sha256(`${text}`));
  database.function('habeas_fold', pure, (text) => (text === null ? null : `${text}`.toLowerCase()));
  // Nothing but the way through a text of JavaScript, which has Unicode alone.
  database.function('habeas_text', pure, (text) => text);
  const hasOne = createHasOne();
  database.function('habeas_has_one', pure, (text, list) =>
    text !== null && hasOne(`${text}`, `${list}`) ? 1 : 0,
  );
  database.function('habeas_inside', pure, (json, path) =>
    json === null ? null : textsInside(`${json}`, JSON.parse(`${path}`)),
  );
  database.function('habeas_matches', pure, (text, pattern) =>
    text === null ? null : new RegExp(`${pattern}`).test(`${text}`) ? 1 : 0,
  );
  database.function('habeas_later', { ...pure, useBigIntArguments: true }, (time, count, unit) =>
    later(time, Number(count), `${unit}`),
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** Seconds since 1970 have ten digits until 2286; milliseconds have more. */
const MOST_SECONDS = 99_999_999_999;

/**
 * A calendar span after a time as SQLite's own functions read it: a date, a date and a time (UTC without a zone), or seconds or milliseconds
 * since 1970. `YYYY-MM-DD HH:MM:SS.sss` in UTC; null for anything else, which then keeps what it is about.
 */
function later(time: unknown, count: number, unit: string): string | null {
  const start = instantOf(time);
  if (start === undefined) return null;
  const end = start.toZonedDateTimeISO('UTC').add({ [`${unit}s`]: count });
  return end.toPlainDateTime().toString({ fractionalSecondDigits: 3 }).replace('T', ' ');
}

function instantOf(time: unknown): Temporal.Instant | undefined {
  if (typeof time === 'bigint' || typeof time === 'number') {
    const number = Number(time);
    if (!Number.isFinite(number)) return undefined;
    const milliseconds = Math.abs(number) > MOST_SECONDS ? number : number * 1_000;
    return Temporal.Instant.fromEpochMilliseconds(Math.round(milliseconds));
  }
  const parts = TIME.exec(typeof time === 'string' ? time : '');
  if (parts === null) return undefined;
  try {
    return Temporal.Instant.from(`${parts[1]}T${parts[2] ?? '00:00'}${parts[3] ?? 'Z'}`);
  } catch {
    // Such as the 31st of June.
    return undefined;
  }
}
