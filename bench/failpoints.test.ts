import { expect, it } from 'vitest';
import { runFailpoints } from './failpoints.ts';
import { openBench } from './open-bench.ts';

it('ends every request with every effect once, wherever the server is killed', {
  timeout: 400_000,
}, async () => {
  await using bench = openBench({ seed: 20_261_121, say: () => undefined });
  // The benchmark kills at every failpoint of every right; here it is one in thirty of three.
  const rights = ['access', 'erasure', 'restriction'] as const;
  const report = await runFailpoints(bench, { rights, slice: { which: 1, of: 30 }, lanes: 2, people: 40 });
  expect(report.violations).toEqual([]);
  expect(report.killed.length).toBeGreaterThan(4);
});
