import { describe, expect, it } from 'vitest';
import { createGroup } from './group.ts';

interface Member {
  readonly key: string;
  readonly number: number;
}

function recorder(options: { readonly fails?: (member: Member) => boolean; readonly limit?: number } = {}) {
  const groups: number[][] = [];
  const add = createGroup<Member, number>({
    limit: options.limit ?? 10,
    keyOf: (member) => member.key,
    run: async (members) => {
      groups.push(members.map((member) => member.number));
      await new Promise((resolve) => setImmediate(resolve));
      if (members.some((member) => options.fails?.(member))) throw new Error('the group failed');
      return members.map((member) => member.number * 2);
    },
  });
  return { groups, add };
}

const members = (count: number, key = (number: number) => `k${number}`): Member[] =>
  Array.from({ length: count }, (_, number) => ({ key: key(number), number }));

describe('a group', () => {
  it('takes what comes in one tick together and gives each member its own result', async () => {
    const { groups, add } = recorder();
    expect(await Promise.all(members(5).map(add))).toEqual([0, 2, 4, 6, 8]);
    expect(groups).toEqual([[0, 1, 2, 3, 4]]);
  });

  it('waits as many turns as it is told for those that come one by one, and no longer', async () => {
    for (const [turns, expected] of [
      [0, [1, 4]],
      [2, [3, 2]],
    ] as const) {
      const ended = Promise.withResolvers<void>();
      const sizes: number[] = [];
      const add = createGroup<Member, number>({
        limit: 10,
        turns,
        keyOf: (member) => member.key,
        run: async (group) => {
          sizes.push(group.length);
          await ended.promise;
          return group.map((member) => member.number);
        },
      });
      const added: Promise<number>[] = [];
      for (const member of members(5)) {
        added.push(add(member));
        await new Promise((resolve) => setImmediate(resolve));
      }
      ended.resolve();
      expect(await Promise.all(added)).toEqual([0, 1, 2, 3, 4]);
      expect([turns, sizes]).toEqual([turns, expected]);
    }
  });

  it('is never larger than its limit', async () => {
    const { groups, add } = recorder({ limit: 3 });
    await Promise.all(members(8).map(add));
    expect(groups.map((group) => group.length)).toEqual([3, 3, 2]);
  });

  it('never holds two members with one key, and keeps their order', async () => {
    const { groups, add } = recorder();
    await Promise.all(members(6, (number) => (number % 2 === 0 ? 'even' : 'odd')).map(add));
    expect(groups).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  it('fails only the member that is at fault', async () => {
    const { add } = recorder({ fails: (member) => member.number === 2 });
    const results = await Promise.allSettled(members(4).map(add));
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'))).toEqual([
      0,
      2,
      'failed',
      6,
    ]);
  });

  it('lets a member that has to wait hold up no other, once its group failed', async () => {
    const held = Promise.withResolvers<void>();
    const add = createGroup<Member, number>({
      limit: 64,
      keyOf: (member) => member.key,
      run: async (group) => {
        if (group.length > 1) throw new Error('the lock was not given in time');
        if (group[0]?.number === 0) await held.promise;
        return group.map((member) => member.number);
      },
    });
    const [first, ...others] = members(9).map(add);
    expect(await Promise.all(others)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    held.resolve();
    expect(await first).toBe(0);
  });

  it('goes on after it was idle and after a failure', async () => {
    const { add } = recorder({ fails: (member) => member.number === 0 });
    await expect(add({ key: 'a', number: 0 })).rejects.toThrow('the group failed');
    expect(await add({ key: 'a', number: 4 })).toBe(8);
  });
});
