import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { packSnappy, unpackSnappy } from './snappy.ts';

test('threads end when nobody needs them for a while, and others are started for what comes then', async () => {
  const workers: Worker[] = [];
  const note = (worker: Worker) => workers.push(worker);
  process.on('worker', note);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
    process.off('worker', note);
  });
  const bytes = Buffer.alloc(1 << 20, 'the same again');
  const packed = await Promise.all([packSnappy([bytes]), packSnappy([bytes])]);
  expect(workers).toHaveLength(2);
  const exits = workers.map((worker) => once(worker, 'exit'));
  vi.advanceTimersByTime(9_000);
  // Still there, and needed once more.
  expect(await unpackSnappy(Buffer.alloc(1 << 16)).catch(() => 'no page')).toBe('no page');
  expect(workers).toHaveLength(2);
  vi.advanceTimersByTime(9_999);
  vi.advanceTimersByTime(1);
  await Promise.all(exits);
  const [first = Buffer.alloc(0)] = packed;
  expect((await unpackSnappy(first)).equals(bytes)).toBe(true);
  expect(workers.length).toBeGreaterThan(2);
});
