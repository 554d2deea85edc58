const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

export interface InstantProps {
  /** RFC 3339. */
  readonly at: string;
  /** `day`: the date; `moment`: with the time; `distance`: how far from now. (Default: moment) */
  readonly as?: 'day' | 'moment' | 'distance';
}

/** A moment in the reader's own locale and time zone; the exact instant shows on hover. */
export function Instant({ at, as = 'moment' }: InstantProps) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={at} className="numbers">
      {as === 'day' ? DAY.format(date) : as === 'moment' ? MOMENT.format(date) : distance(date, new Date())}
    </time>
  );
}

/** `in 3 days`, `2 hours ago`. */
export function distance(date: Date, now: Date): string {
  const milliseconds = date.getTime() - now.getTime();
  const [unit, size] = UNITS.find(([, length]) => Math.abs(milliseconds) >= length) ?? ['minute', 60_000];
  return AGO.format(Math.round(milliseconds / size), unit);
}
