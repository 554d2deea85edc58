import { expect, test } from 'vitest';
import { gathered } from './gathered.ts';

interface Job {
  readonly name: string;
  readonly signal: AbortSignal;
}

const job = (name: string, signal = new AbortController().signal): Job => ({ name, signal });

test('what comes while a pass runs is done together in the next one', async () => {
  const passes: string[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const ask = gathered(async (jobs: readonly Job[]) => {
    passes.push(jobs.map(({ name }) => name));
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    return jobs.map(({ name }) => name.toUpperCase());
  });
  const first = [ask(job('a')), ask(job('b'))];
  await expect.poll(() => gates.length).toBe(1);
  const second = [ask(job('c')), ask(job('d')), ask(job('e'))];
  gates[0]?.resolve();
  expect(await Promise.all(first)).toEqual(['A', 'B']);
  await expect.poll(() => gates.length).toBe(2);
  gates[1]?.resolve();
  expect(await Promise.all(second)).toEqual(['C', 'D', 'E']);
  expect(passes).toEqual([
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]);
});

test('a job that is aborted fails at once, and the pass goes on for the others until all are', async () => {
  let ended: AbortSignal | undefined;
  const ask = gathered(async (_: readonly Job[], signal: AbortSignal) => {
    ended = signal;
    return new Promise<readonly string[]>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  });
  const [one, two] = [new AbortController(), new AbortController()];
  const results = [ask(job('a', one.signal)), ask(job('b', two.signal))].map((result) =>
    result.then(
      () => 'done',
      (reason) => reason,
    ),
  );
  await expect.poll(() => ended).toBeDefined();
  one.abort('first');
  expect(await results[0]).toBe('first');
  expect(ended?.aborted).toBe(false);
  two.abort('second');
  expect(await results[1]).toBe('second');
  expect(ended?.aborted).toBe(true);
});

test('an error is everybody’s who waited for it, and the next pass begins anew', async () => {
  let turn = 0;
  const ask = gathered(async (jobs: readonly Job[]) => {
    turn += 1;
    if (turn === 1) throw new Error('away');
    return jobs.map(({ name }) => name);
  });
  const failed = [ask(job('a')), ask(job('b'))].map((result) => expect(result).rejects.toThrow('away'));
  await Promise.all(failed);
  expect(await ask(job('c'))).toBe('c');
});
