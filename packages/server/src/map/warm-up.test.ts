import { expect, it } from 'vitest';
import { warmUp } from './warm-up.ts';

const now = new Date('2026-03-01T00:00:00Z');

/** Answers that take so many milliseconds each, by a clock of their own. */
function answersTaking(milliseconds: number) {
  let time = 0;
  let lent = 0;
  const asked: object[] = [];
  const answer = async (query: object = {}) => {
    asked.push(query);
    time += milliseconds;
    lent += 1;
    const release = () => {
      lent -= 1;
    };
    return { bytes: Buffer.alloc(0), release };
  };
  return { answers: { mapJson: answer, changesJson: answer }, elapsed: () => time, asked, lent: () => lent };
}

it('asks a small map once each way, for moments that have been, and gives the memory back', async () => {
  const { answers, elapsed, asked, lent } = answersTaking(1);
  expect(await warmUp({ answers, elapsed, now })).toBe(asked.length);
  expect(asked).toHaveLength(16);
  expect(asked).toContainEqual({ as_of: '2026-02-22T00:00:00.000Z', compare_to: '1970-01-01T00:00:00.000Z' });
  expect(asked).toContainEqual({});
  expect(asked).toContainEqual({ as_of: '2026-02-22T00:00:00.000Z', compare_to: '2026-02-25T12:00:00.000Z' });
  expect(lent()).toBe(0);
});

it('asks a large map again, and keeps nobody waiting for more than a second and a half', async () => {
  const { answers, elapsed, asked } = answersTaking(50);
  await warmUp({ answers, elapsed, now });
  expect(asked.length).toBeGreaterThan(24);
  expect(elapsed()).toBeLessThanOrEqual(1_550);
});
