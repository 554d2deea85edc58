import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { impliedOrder } from './implied-order.ts';
import type { ConfiguredConnection } from './systems.ts';

interface Told {
  readonly kind?: string;
  readonly needs?: readonly string[];
  readonly resolves?: readonly string[];
  readonly foundThrough?: readonly string[];
  readonly madeFrom?: readonly string[];
}

const NONE = { after: {}, groups: [] };

function orderOf(told: Readonly<Record<string, Told>>, given: Parameters<typeof impliedOrder>[1] = NONE) {
  const connections = Object.entries(told).map(
    ([key, { kind = 'postgres', needs = [], resolves = [], foundThrough = [], madeFrom = [] }]) => ({
      config: { key, kind },
      needs,
      resolves,
      foundThrough: new Set(foundThrough),
      madeFrom: new Set(madeFrom),
    }),
  );
  return impliedOrder(connections as unknown as readonly ConfiguredConnection[], given);
}

/** What never gets its turn, when each takes it as soon as nothing is left that it waits for. */
function leftInCircles({ after, groups }: Parameters<typeof impliedOrder>[1]): readonly string[] {
  const waitsFor = (key: string) => [
    ...(after[key] ?? []),
    ...groups.flatMap((group, index) => (group.includes(key) ? (groups[index - 1] ?? []) : [])),
  ];
  let left = [...new Set([...Object.keys(after), ...Object.values(after).flat(), ...groups.flat()])];
  for (let next = left; ; left = next) {
    next = left.filter((key) => waitsFor(key).some((other) => left.includes(other)));
    if (next.length === left.length) return left;
  }
}

describe('the order that follows from connections', () => {
  test('is files, the rows that name them, and copies', () => {
    expect(
      orderOf({
        cache: { kind: 'redis', needs: ['user_id'] },
        shop: { needs: ['email'], resolves: ['email', 'user_id', 'photo'] },
        uploads: { kind: 'files', needs: ['photo'] },
      }),
    ).toEqual({ cache: ['shop'], shop: ['uploads'] });
  });

  test('is what was found through rows before the rows, and what was made from others after them', () => {
    expect(
      orderOf({ shop: {}, notes: { foundThrough: ['shop'] }, lake: { madeFrom: ['notes', 'shop'] } }),
    ).toEqual({ shop: ['notes'], lake: ['notes', 'shop'] });
  });

  test('says nothing of databases that merely tell each other identities', () => {
    expect(
      orderOf({
        shop: { needs: ['email'], resolves: ['user_id'] },
        crm: { needs: ['user_id'], resolves: ['email'] },
      }),
    ).toEqual({});
  });

  test('gives way to the configuration, and derived_from to nothing but that', () => {
    expect(
      orderOf(
        { shop: {}, uploads: { kind: 'files', foundThrough: ['shop'] } },
        { after: { uploads: ['shop'] }, groups: [] },
      ),
    ).toEqual({ uploads: ['shop'] });
    expect(
      orderOf(
        { shop: {}, uploads: { kind: 'files', foundThrough: ['shop'] } },
        { after: {}, groups: [['shop'], ['crm'], ['uploads']] },
      ),
    ).toEqual({});
    expect(orderOf({ shop: {}, copy: { foundThrough: ['shop'], madeFrom: ['shop'] } })).toEqual({
      copy: ['shop'],
    });
  });

  test('never closes a circle, whatever connections say', () => {
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const some = fc.subarray(keys);
    const told = fc.record({
      kind: fc.constantFrom('postgres', 'files', 's3', 'redis'),
      needs: some,
      resolves: some,
      foundThrough: some,
      madeFrom: some,
    });
    // The groups and what comes after what in the order of the keys: no circle of their own.
    const given = fc.record({
      after: fc.constantFrom({}, { b: ['a'] }, { c: ['a', 'b'], d: ['c'] }),
      groups: fc.constantFrom([], [['a'], ['b', 'c'], ['e']]),
    });
    fc.assert(
      fc.property(
        fc.tuple(...keys.map((key) => told.map((one) => [key, one] as const))),
        given,
        (all, order) => {
          const after = orderOf(
            Object.fromEntries(
              all.map(([key, one]) => [
                key,
                { ...one, foundThrough: one.foundThrough.filter((other) => other !== key) },
              ]),
            ),
            order,
          );
          expect(leftInCircles({ after, groups: order.groups })).toEqual([]);
          for (const [key, first] of Object.entries(order.after))
            expect(after[key]).toEqual(expect.arrayContaining([...first]));
        },
      ),
    );
  });
});
