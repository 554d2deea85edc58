/**
 * How long after a failed try a message is tried again: ten tries over three days and three and a half hours, as Standard Webhooks 1.0
 * proposes ("Deliverability and reliability").
 */
export const WEBHOOK_SCHEDULE: readonly number[] = [
  5_000,
  5 * 60_000,
  30 * 60_000,
  2 * 3_600_000,
  5 * 3_600_000,
  10 * 3_600_000,
  14 * 3_600_000,
  20 * 3_600_000,
  24 * 3_600_000,
];

/** Up to a tenth is added, so that messages that failed together are not tried together. */
const JITTER = 0.1;

/** Milliseconds to wait after the nth try of a message failed (n ≥ 1); undefined when that was the last one. */
export function nextTryAfter(
  tries: number,
  random: number,
  schedule: readonly number[] = WEBHOOK_SCHEDULE,
): number | undefined {
  const wait = schedule[tries - 1];
  return wait === undefined ? undefined : Math.round(wait * (1 + JITTER * random));
}
