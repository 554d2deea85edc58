import { expect, test } from 'vitest';
import { backOff, DEFAULT_RETRY, retryRules } from './back-off.ts';

test('rules that are not given are the usual ones', () => {
  expect(retryRules({})).toEqual(DEFAULT_RETRY);
  expect(retryRules({ maxFailures: 3, longestDelayMilliseconds: undefined })).toEqual({
    ...DEFAULT_RETRY,
    maxFailures: 3,
  });
});

test('a wait doubles with each failure up to the longest one, and half of it is random', () => {
  const rules = { maxFailures: 12, firstDelayMilliseconds: 100, longestDelayMilliseconds: 1_000 };
  expect([1, 2, 3, 4, 5, 1_000].map((failures) => backOff(failures, rules, 0))).toEqual([
    50, 100, 200, 400, 500, 500,
  ]);
  expect(backOff(3, rules, 0.5)).toBe(300);
});
