import { expect, it } from 'vitest';
import { openBench } from './open-bench.ts';
import { runVirtualDays } from './virtual-days.ts';

it('ends every request by itself over days of errors, lost replies, late and repeated reports', async () => {
  await using bench = openBench({ seed: 20_261_121, say: () => undefined });
  const report = await runVirtualDays(bench, { requests: 200, realDay: 3_000 });
  expect(report.violations).toEqual([]);
  expect(report.completed).toBe(200);
  // A call in three fails: there were far more calls than what had to be done.
  expect(report.calls).toBeGreaterThan(report.effects * 3);
});
