import { expect, it } from 'vitest';
import { runChaos } from './chaos.ts';
import { openBench } from './open-bench.ts';

it('loses nothing and does nothing twice when the server is killed again and again', async () => {
  const told: string[] = [];
  await using bench = openBench({ seed: 20_261_121, say: (line) => told.push(line) });
  const report = await runChaos(bench, { requests: 24, kills: 8 });
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ completed: 24, kills: 8 });
  // Sixteen erasures, each with an effect in accounts and, for most people, one in the mailer.
  expect(report.effects).toBeGreaterThanOrEqual(16);
});
