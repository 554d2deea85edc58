import { describe, expect, it, vi } from 'vitest';
import { createSpool, type Spool } from './spool.ts';
import { createSpools } from './spools.ts';

async function filled(bytes: number, memoryBytes = 1_000_000): Promise<Spool> {
  const spool = createSpool({ memoryBytes });
  await spool.append('x'.repeat(bytes - 1));
  await spool.end();
  return spool;
}

describe('kept results', () => {
  it('go when nobody has looked at them for the time', async () => {
    vi.useFakeTimers();
    try {
      const spools = createSpools({ milliseconds: 1_000 });
      const spool = await filled(10);
      spools.put('a', spool);
      vi.advanceTimersByTime(900);
      expect(spools.get('a')).toBe(spool);
      vi.advanceTimersByTime(900);
      expect(spools.get('a')).toBe(spool);
      vi.advanceTimersByTime(1_000);
      expect(spools.get('a')).toBeUndefined();
      await spools.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('go by the longest without a look when they take too much memory or too many files', async () => {
    for (const [limits, memoryBytes] of [
      [{ memoryBytes: 2_500 }, 1_000],
      [{ files: 2 }, 0],
    ] as const) {
      const spools = createSpools({ milliseconds: 60_000, ...limits });
      for (const name of ['a', 'b']) spools.put(name, await filled(100, memoryBytes));
      spools.get('a');
      spools.put('c', await filled(100, memoryBytes));
      expect(['a', 'b', 'c'].filter((name) => spools.get(name) !== undefined)).toEqual(['a', 'c']);
      await spools.close();
    }
  });

  it('keep the newest, however large', async () => {
    const spools = createSpools({ milliseconds: 60_000, memoryBytes: 10 });
    spools.put('a', await filled(5));
    spools.put('b', await filled(100));
    expect(['a', 'b'].filter((name) => spools.get(name) !== undefined)).toEqual(['b']);
    await spools.close();
  });
});
