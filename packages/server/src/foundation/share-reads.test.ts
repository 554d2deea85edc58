import { describe, expect, it } from 'vitest';
import { shareReads } from './share-reads.ts';

describe('shareReads', () => {
  it('answers questions of one moment by one read, and later ones by a read that began after them', async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const ask = shareReads(async () => {
      const gate = Promise.withResolvers<void>();
      const number = gates.push(gate);
      await gate.promise;
      return number;
    });
    const first = [ask(), ask()];
    await Promise.resolve().then(() => undefined);
    const second = [ask(), ask(), ask()];
    expect(gates).toHaveLength(1);
    gates[0]?.resolve();
    expect(await Promise.all(first)).toEqual([1, 1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(gates).toHaveLength(2);
    const third = ask();
    gates[1]?.resolve();
    expect(await Promise.all(second)).toEqual([2, 2, 2]);
    await new Promise((resolve) => setImmediate(resolve));
    gates[2]?.resolve();
    expect(await third).toBe(3);
  });

  it('tells a failure to those who shared the read, and goes on', async () => {
    let fails = true;
    const ask = shareReads(async () => {
      if (fails) throw new Error('the database is away');
      return 'there';
    });
    const results = await Promise.allSettled([ask(), ask()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await ask()).toBe('there');
  });
});
