import { expect, test } from 'vitest';
import { concurrencyOf } from './connection-kind.ts';

test('those who wait for one pass over a bucket are many, unless the configuration says otherwise', () => {
  expect([{ kind: 's3' }, { kind: 'postgres' }, { kind: './wiki.ts' }].map(concurrencyOf)).toEqual([
    64, 4, 4,
  ]);
  expect(concurrencyOf({ kind: 's3', concurrency: 2 })).toBe(2);
});
