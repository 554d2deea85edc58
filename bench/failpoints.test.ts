import { expect, it } from 'vitest';
import { runFailpoints } from './failpoints.ts';
import { openBench } from './open-bench.ts';

it('ends every request with every effect once, wherever the server is killed', {
  timeout: 400_000,
}, async () => {
  await using bench = openBench({ seed: 20_261_121, say: () => undefined });
  // The benchmark kills at every failpoint; here it is one in fourteen.
  const report = await runFailpoints(bench, { rights: ['access', 'erasure', 'rectification'], every: 14 });
  expect(report.violations).toEqual([]);
  expect(report.killed.length).toBeGreaterThan(4);
});
