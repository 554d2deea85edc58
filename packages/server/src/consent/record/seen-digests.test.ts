import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createSeenDigests } from './seen-digests.ts';

const digestOf = (number: number) => createHash('sha256').update(String(number)).digest();

it('knows all that it saw, and takes few others for seen', () => {
  const seen = createSeenDigests();
  for (let number = 0; number < 10_000; number += 1) seen.see(digestOf(number));
  let wrong = 0;
  for (let number = 0; number < 10_000; number += 1) {
    expect(seen.see(digestOf(number))).toBe(true);
    if (seen.see(digestOf(10_000 + number))) wrong += 1;
  }
  expect(wrong).toBeLessThan(10);
});
