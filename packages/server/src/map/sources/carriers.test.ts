import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Followed,
  follow,
  type Known,
  NO_TARGET,
  NOTHING_KNOWN,
  type TargetState,
  targetOf,
} from './carriers.ts';

const settle = 60_000;
const one = targetOf('apps', 'one:80');
const two = targetOf('apps', 'two:80');
const up: TargetState = { status: 'up', dropped: 0 };
const down: TargetState = { status: 'down', dropped: 0 };

interface Moment {
  readonly targets: Readonly<Record<string, TargetState>>;
  readonly says: Readonly<Record<string, readonly string[]>>;
  readonly whole?: boolean;
}

function step(
  known: Known,
  { targets, says, whole = true }: Moment,
  minute: number,
  removed: readonly string[] = [],
) {
  const sighting = {
    targets: new Map(Object.entries(targets)),
    carried: new Map(Object.entries(says).map(([key, all]) => [key, new Set(all)])),
    whole,
  };
  return follow(known, sighting, { at: new Date(minute * 60_000), settle, removedJobs: new Set(removed) });
}

const counts = (known: Followed) => [...known.carriers.keys()].sort();

it('keeps what only a dead target said, until it answers without it', () => {
  const first = step(
    NOTHING_KNOWN,
    { targets: { [one]: up, [two]: up }, says: { email: [one], ip: [one, two] } },
    0,
  );
  const dead = step(first, { targets: { [one]: down, [two]: up }, says: { ip: [two] } }, 1);
  expect(counts(dead)).toEqual(['email', 'ip']);
  expect(dead.held).toEqual(new Map([[one, 'down']]));
  expect(counts(step(dead, { targets: { [one]: up, [two]: up }, says: { ip: [two] } }, 2))).toEqual(['ip']);
});

it('takes a target that its source does not know for removed only after a while, and only while others of its job are up', () => {
  const first = step(NOTHING_KNOWN, { targets: { [one]: up, [two]: up }, says: { email: [one] } }, 0);
  const absent: Moment = { targets: { [two]: up }, says: {} };
  const early = step(first, absent, 1);
  expect(counts(early)).toEqual(['email']);
  expect(counts(step(early, absent, 2))).toEqual([]);
  const none = step(early, { targets: {}, says: {} }, 2);
  expect(counts(step(none, { targets: {}, says: {} }, 99))).toEqual(['email']);
  expect(counts(step(none, { targets: {}, says: {} }, 99, ['apps']))).toEqual([]);
});

it('lets what comes from no target count until all targets answer', () => {
  const first = step(NOTHING_KNOWN, { targets: { [one]: up }, says: { email: [NO_TARGET] } }, 0);
  const dead = step(first, { targets: { [one]: down }, says: {} }, 1);
  expect(counts(step(dead, { targets: { [one]: down }, says: {} }, 9))).toEqual(['email']);
  expect(counts(step(dead, { targets: { [one]: up }, says: {} }, 9))).toEqual([]);
});

it('holds what rules began to leave out, and lets it go when they leave out no more than before', () => {
  const drops = (dropped: number): TargetState => ({ status: 'up', dropped });
  const first = step(NOTHING_KNOWN, { targets: { [one]: drops(3) }, says: { email: [one] } }, 0);
  const dropped = step(first, { targets: { [one]: drops(4) }, says: {} }, 1);
  expect(dropped.held).toEqual(new Map([[one, 'filtered']]));
  expect(counts(step(dropped, { targets: { [one]: drops(4) }, says: {} }, 2))).toEqual(['email']);
  expect(counts(step(dropped, { targets: { [one]: drops(3) }, says: {} }, 2))).toEqual([]);
});

it('never loses a declaration but by an answer of each of its targets, whatever happens', () => {
  const names = [one, two, targetOf('other', 'three:80'), NO_TARGET];
  const keys = ['email', 'ip', 'name'];
  const state = fc.record({
    status: fc.constantFrom('up' as const, 'down' as const, 'refused' as const),
    dropped: fc.nat(2),
  });
  const moment = fc.record({
    targets: fc.dictionary(fc.constantFrom(one, two, names[2] ?? ''), state),
    says: fc.dictionary(fc.constantFrom(...keys), fc.subarray(names, { minLength: 1 })),
    whole: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 12 }), (moments) => {
      let known: Known = NOTHING_KNOWN;
      moments.forEach((now, minute) => {
        const next = step(known, now, minute);
        // What is said now counts, and nothing counts that nobody ever said.
        for (const key of Object.keys(now.says)) expect(next.carriers.has(key)).toBe(true);
        for (const key of next.carriers.keys()) expect(known.carriers.has(key) || key in now.says).toBe(true);
        for (const [key, targets] of known.carriers) {
          if (next.carriers.has(key)) continue;
          expect(now.whole).toBe(true);
          for (const target of targets) {
            const seen = now.targets[target];
            if (seen !== undefined) expect(seen.status).toBe('up');
            else expect(Object.values(now.targets).some(({ status }) => status !== 'down')).toBe(true);
          }
        }
        known = next;
      });
    }),
    { numRuns: 500 },
  );
});
