/** `2026-03-01 12:00:05` of an RFC 3339 time in UTC. */
export function shortTime(time: string | null): string {
  return time === null ? '' : time.slice(0, 19).replace('T', ' ');
}

/** `at 2026-03-01 08:00:00 UTC`, or of which other moment the answer is. */
export function momentText({ at, as_of: asOf }: { readonly at: string; readonly as_of: string }): string {
  return at === asOf ? `at ${shortTime(at)} UTC` : `as of ${shortTime(asOf)} UTC`;
}

/** `0.4 s`, `12 s`, `3 min 20 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** `812 B`, `1.4 kB`, `2.3 MB`, `4.1 GB`, in powers of 1,000. */
export function bytes(number: number): string {
  if (number < 1_000) return `${number} B`;
  if (number < 999_950) return `${(number / 1_000).toFixed(1)} kB`;
  if (number < 999_950_000) return `${(number / 1_000_000).toFixed(1)} MB`;
  return `${(number / 1_000_000_000).toFixed(1)} GB`;
}
