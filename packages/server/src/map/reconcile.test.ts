import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Declaration } from './declaration.ts';
import { declarationKey } from './declaration-key.ts';
import { reconcile } from './reconcile.ts';

const declaration = fc.record({
  kind: fc.constant('store' as const),
  team: fc.constantFrom('data', 'shop'),
  service: fc.constantFrom('a', 'b', 'c'),
  dataType: fc.constantFrom('ip', 'name'),
});
const reading = fc.record({
  declarations: fc.array(declaration, { maxLength: 8 }),
  complete: fc.boolean(),
});

describe('reconcile', () => {
  it('agrees, over any series of readings, with a plain account of what was seen when', () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 12 }), (readings) => {
        const open = new Map<string, Date>();
        const closed: { key: string; firstSeen: Date; lastSeen: Date }[] = [];
        const seenAt = new Map<string, Date[]>();
        let lastComplete: Date | null = null;
        for (const [index, { declarations, complete }] of readings.entries()) {
          const now = new Date(Date.UTC(2026, 0, 1, 0, index));
          const before = new Set(open.keys());
          const keys = new Set(declarations.map(declarationKey));
          const { started, ended } = reconcile({ open, declarations, complete, lastComplete, now });
          for (const { key, lastSeen } of ended) {
            closed.push({ key, firstSeen: open.get(key) ?? now, lastSeen });
            open.delete(key);
          }
          for (const { key, firstSeen } of started) {
            expect(open.has(key)).toBe(false);
            open.set(key, firstSeen);
          }
          for (const key of keys) seenAt.set(key, [...(seenAt.get(key) ?? []), now]);
          if (complete) lastComplete = now;
          // What is open is what is declared; a reading that is not complete also leaves what was there.
          expect(new Set(open.keys())).toEqual(complete ? keys : new Set([...before, ...keys]));
          expect(reconcile({ open, declarations, complete, lastComplete, now })).toEqual({
            started: [],
            ended: [],
          });
        }
        for (const { key, firstSeen, lastSeen } of closed) {
          expect(seenAt.get(key)).toContainEqual(firstSeen);
          expect(lastSeen.getTime()).toBeGreaterThanOrEqual(firstSeen.getTime());
        }
        for (const [key, firstSeen] of open) expect(seenAt.get(key)).toContainEqual(firstSeen);
      }),
    );
  });

  it('does not depend on the order of the declarations', () => {
    fc.assert(
      fc.property(fc.array(declaration), (declarations) => {
        const now = new Date(0);
        const keysOf = (order: readonly Declaration[]) =>
          reconcile({ open: new Map(), declarations: order, complete: true, lastComplete: null, now })
            .started.map(({ key }) => key)
            .sort();
        expect(keysOf(declarations.toReversed())).toEqual(keysOf(declarations));
      }),
    );
  });
});

describe('declarationKey', () => {
  it('differs for any two declarations that differ, whatever signs the texts hold', () => {
    const text = fc.string({ maxLength: 3 });
    const any: fc.Arbitrary<Declaration> = fc.oneof(
      fc.record({ kind: fc.constant('store' as const), team: text, service: text, dataType: text }),
      fc.record({
        kind: fc.constant('transmit' as const),
        team: text,
        service: text,
        toService: text,
        dataType: text,
      }),
      fc.record({
        kind: fc.constant('client' as const),
        team: text,
        service: fc.option(text, { nil: undefined }),
        address: text,
        protocol: fc.constantFrom('grpc' as const, 'http' as const),
      }),
    );
    fc.assert(
      fc.property(any, any, (a, b) => {
        const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        expect(declarationKey(a) === declarationKey(b)).toBe(same);
      }),
    );
  });
});
