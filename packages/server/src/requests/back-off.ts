/** When a failed task is tried again. */
export interface RetryRules {
  /** After this many failures in a row a person is needed. */
  readonly maxFailures: number;
  readonly firstDelayMilliseconds: number;
  readonly longestDelayMilliseconds: number;
}

/**
 * Often at first, then hourly, for more than a day and mostly less than two: a system may be away for a day, and nobody has to look at
 * each of its tasks when it is back.
 */
export const DEFAULT_RETRY: RetryRules = {
  maxFailures: 64,
  firstDelayMilliseconds: 1_000,
  longestDelayMilliseconds: 60 * 60_000,
};

/** The given rules, and the usual ones for what is not given. */
export function retryRules(
  given: {
    readonly [Rule in keyof RetryRules]?: RetryRules[Rule] | undefined;
  },
): RetryRules {
  return {
    maxFailures: given.maxFailures ?? DEFAULT_RETRY.maxFailures,
    firstDelayMilliseconds: given.firstDelayMilliseconds ?? DEFAULT_RETRY.firstDelayMilliseconds,
    longestDelayMilliseconds: given.longestDelayMilliseconds ?? DEFAULT_RETRY.longestDelayMilliseconds,
  };
}

/**
 * Milliseconds to wait after the nth failure in a row (n ≥ 1): doubled each time up to the longest delay, of which half is
 * fixed and half random ("equal jitter"), so that tasks that failed together do not come back together.
 */
export function backOff(failures: number, rules: RetryRules, random: number): number {
  const delay = Math.min(
    rules.longestDelayMilliseconds,
    rules.firstDelayMilliseconds * 2 ** Math.min(failures - 1, 30),
  );
  return Math.round(delay / 2 + (delay / 2) * random);
}
