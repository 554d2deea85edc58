import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capability, PlannableSystem } from '../../connectors/index.ts';
import { type Plan, plan } from '../plan.ts';
import { checkOrder, type Order } from './sequence.ts';

const keys = ['a', 'b', 'c', 'd', 'e'];
const someKeys = fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 3 });
const orders: fc.Arbitrary<Order> = fc.record({
  after: fc.dictionary(fc.constantFrom(...keys), someKeys, { maxKeys: 3 }),
  // Each system in one group at most.
  groups: fc
    .array(fc.tuple(fc.constantFrom(...keys), fc.nat(3)), { maxLength: 5 })
    .map((members) =>
      [0, 1, 2, 3].map((at) => [...new Map(members)].flatMap(([key, group]) => (group === at ? [key] : []))),
    ),
});

function system(key: string, more: Partial<PlannableSystem> = {}): PlannableSystem {
  const capabilities: ReadonlySet<Capability> = new Set(['locate', 'erase', 'verify']);
  return {
    key,
    team: 'team',
    by: 'connection',
    capabilities,
    needs: [],
    resolves: [],
    dataTypes: [],
    ...more,
  };
}

function erasure(order: Order, systems: readonly PlannableSystem[], dryRun = false): Plan {
  return plan({ right: 'erasure', dryRun, identityTypes: ['email'], systems, policyVersion: 'v1', order });
}

/** Whether a way leads from one task back to another. */
function waitsFor(made: Plan, from: string, to: string): boolean {
  const tasks = new Map(made.tasks.map((task) => [task.key, task.depends_on]));
  const open = [from];
  const seen = new Set(open);
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (key === to) return true;
    for (const next of tasks.get(key) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

function allowed(order: Order): boolean {
  try {
    checkOrder(order);
    return true;
  } catch {
    return false;
  }
}

describe('an order of systems', () => {
  it('is kept by every plan: what comes before a system is erased and read again first', () => {
    let kept = 0;
    fc.assert(
      fc.property(orders, fc.uniqueArray(fc.constantFrom(...keys)), (order, present) => {
        fc.pre(allowed(order));
        const made = erasure(
          order,
          present.map((key) => system(key)),
        );
        const isBefore = (first: string, then: string) => {
          if (!present.includes(first) || !present.includes(then)) return;
          expect(waitsFor(made, `erase:${then}`, `verify:${first}`)).toBe(true);
          kept += 1;
        };
        for (const [then, firsts] of Object.entries(order.after))
          for (const first of firsts) isBefore(first, then);
        for (const [at, group] of order.groups.entries())
          for (const earlier of order.groups.slice(0, at).flat())
            for (const then of group) isBefore(earlier, then);
      }),
      { numRuns: 1_000 },
    );
    expect(kept).toBeGreaterThan(500);
  });

  it('is refused exactly when no plan could end', () => {
    const seen = { refused: 0, allowed: 0 };
    fc.assert(
      fc.property(orders, (order) => {
        const made = erasure(
          order,
          keys.map((key) => system(key)),
        );
        const endless = made.tasks.some((task) =>
          task.depends_on.some((next) => waitsFor(made, next, task.key)),
        );
        seen[endless ? 'refused' : 'allowed'] += 1;
        expect(allowed(order)).toBe(!endless);
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(seen.refused, seen.allowed)).toBeGreaterThan(50);
  });

  it('waits for tickets, and for the word of a system that cannot be read again', () => {
    const made = erasure({ after: { shop: ['files', 'paper'] }, groups: [] }, [
      system('files', { capabilities: new Set(['erase']) }),
      system('paper', { by: 'ticket', capabilities: new Set() }),
      system('shop'),
    ]);
    const erase = made.tasks.find(({ key }) => key === 'erase:shop');
    expect(erase?.depends_on).toEqual(expect.arrayContaining(['erase:files', 'ticket:paper']));
  });

  it('names what is not there as a gap, and holds nobody up for it', () => {
    const made = erasure({ after: { shop: ['files'] }, groups: [['search'], ['shop']] }, [system('shop')]);
    expect(made.gaps.filter(({ kind }) => kind === 'order-unknown')).toHaveLength(2);
    expect(made.tasks.find(({ key }) => key === 'erase:shop')?.depends_on).toEqual([
      'gate:keys',
      'locate:shop',
    ]);
  });

  it('says who waits for whom in a circle, and who is named twice', () => {
    expect(() => checkOrder({ after: { a: ['b'] }, groups: [['a'], ['b']] })).toThrow(
      /a after b after a|b after a after b/,
    );
    expect(() => checkOrder({ after: {}, groups: [['a'], ['a']] })).toThrow(/a is in requests.groups twice/);
  });

  it('counts in any order in a dry run', () => {
    const systems = [system('shop'), system('files')];
    const order = { after: { shop: ['files'] }, groups: [] };
    expect(erasure(order, systems, true)).toEqual(erasure({ after: {}, groups: [] }, systems, true));
  });
});
