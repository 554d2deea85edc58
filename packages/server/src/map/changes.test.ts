import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Change, changesBetween } from './changes.ts';
import { createDeclarationCache } from './declaration-cache.ts';
import { type FlowSeen, isFlow, isStore, type StoreSeen } from './graph.ts';
import { knownDeclaration } from './known-declaration.ts';

type EdgeSeen = FlowSeen | StoreSeen;

const label = fc.constantFrom('a', 'b', 'b"', '"', ',', ']', '\\', 'é', '__proto__');
const detail = fc.constantFrom(undefined, 'x', 'y');
const declaration = fc.oneof(
  fc.record({
    kind: fc.constant('store' as const),
    team: label,
    service: label,
    dataType: label,
    purpose: detail,
  }),
  fc.record({
    kind: fc.constant('transmit' as const),
    team: label,
    service: label,
    toService: label,
    dataType: label,
    purpose: detail,
  }),
);
const edges = fc
  .array(fc.tuple(declaration, fc.constantFrom('one', 'other'), fc.nat(9), fc.nat(9)), { maxLength: 20 })
  .map((said) => {
    const all = said.map(([declaration, source, firstSeen, length], number) => {
      const known = knownDeclaration(JSON.stringify(declaration), declaration);
      const times = { firstSeen, lastSeen: firstSeen + length };
      return { number, known, declaration, source, evidence: 'observed' as const, ...times };
    });
    return [...createDeclarationCache().order(all)].flatMap((index): EdgeSeen[] => {
      const seen = all[index];
      return seen !== undefined && (isFlow(seen) || isStore(seen)) ? [seen] : [];
    });
  });

/** The same without any order: what is said about each flow and store is looked for among all. */
function byHand(old: readonly EdgeSeen[], now: readonly EdgeSeen[]) {
  const keysOf = (some: readonly EdgeSeen[]) => new Set(some.map(({ known }) => known.key));
  const [before, after] = [keysOf(old), keysOf(now)];
  const fresh = now.filter(({ known }) => !before.has(known.key));
  const gone = old.filter(({ known }) => !after.has(known.key));
  const identities = new Set([...fresh, ...gone].map(({ known }) => known.identity));
  return [...identities].sort().map((identity) => {
    const of = (some: readonly EdgeSeen[]) => some.filter(({ known }) => known.identity === identity);
    const [started, ended] = [of(fresh), of(gone)];
    const kind = of(old).length === 0 ? 'added' : of(now).length === 0 ? 'removed' : 'changed';
    const at =
      started.length > 0
        ? Math.min(...started.map(({ firstSeen }) => firstSeen))
        : Math.max(...ended.map(({ lastSeen }) => lastSeen));
    return { kind, identity, before: of(old), after: of(now), by: [...started, ...ended], at };
  });
}

it('finds what is added, removed and changed, in order, whatever the names are', () => {
  fc.assert(
    fc.property(edges, edges, (old, now) => {
      const [from, to] = [new Date(1), new Date(2)];
      const found = changesBetween({ at: from, edges: old }, { at: to, edges: now });
      const named = (kind: string, changes: readonly Change[]) =>
        changes.map(({ first, ...change }) => ({ kind, identity: first.known.identity, ...change }));
      const want = byHand(old, now);
      for (const kind of ['added', 'removed', 'changed'] as const) {
        expect(named(kind, found[kind])).toEqual(want.filter((change) => change.kind === kind));
      }
      expect([found.from, found.to]).toEqual([from, to]);
    }),
    { numRuns: 1_000 },
  );
});
