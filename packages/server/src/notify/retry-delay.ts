/** When a receiver that failed is tried again. */
export interface RetryDelays {
  readonly firstMilliseconds: number;
  readonly longestMilliseconds: number;
}

/** A receiver that restarts is told within seconds; one that is down for a day is called four times an hour. */
export const RETRY_DELAYS: RetryDelays = { firstMilliseconds: 2_000, longestMilliseconds: 15 * 60_000 };

/** Milliseconds to wait after the nth failure in a row (n ≥ 1): doubled each time, of which half is fixed and half random. */
export function retryDelay(failures: number, delays: RetryDelays, random: number): number {
  const { firstMilliseconds, longestMilliseconds } = delays;
  const delay = Math.min(longestMilliseconds, firstMilliseconds * 2 ** Math.min(failures - 1, 30));
  return Math.round(delay / 2 + (delay / 2) * random);
}
