import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DeadlineRules, deadlineOf, freezeDeadlineRules } from '../../policy/index.ts';
import { levelReached, nextAlertAt, type RunningTerm } from './alert-levels.ts';
import { type DeadlineCommand, type DeadlineState, stepDeadline } from './step-deadline.ts';

const at = (day: string) => new Date(`${day}T12:00:00Z`);

function received(law: DeadlineRules['law'], day: string): DeadlineState {
  const zone = { law, country: null, region: null, timeZone: 'UTC' };
  const rules = freezeDeadlineRules(zone, { right: 'access' }) ?? zone;
  const receivedAt = at(day);
  const { dueAt } = deadlineOf({ ...rules, receivedAt });
  return { receivedAt, dueAt, rules, ended: false, changes: [] };
}

function apply(state: DeadlineState, command: DeadlineCommand, day: string): DeadlineState | string {
  const step = stepDeadline(state, command, at(day));
  if ('refused' in step) return step.refused;
  return { ...state, dueAt: step.dueAt, changes: [...state.changes, step.change] };
}

const extend = { type: 'extend', reason: 'ComplexityOfProcess' } as const;

describe('an extension', () => {
  it('moves the end by what the law allows, with a reason that machines read', () => {
    const step = stepDeadline(received('gdpr', '2026-03-02'), extend, at('2026-03-20'));
    expect(step).toMatchObject({
      change: { kind: 'extended', reason: 'https://w3id.org/dpv/justifications#ComplexityOfProcess' },
      dueAt: new Date('2026-06-02T23:59:59.999Z'),
    });
  });

  it.each([
    ['lgpd', '2026-03-05', 'the law knows none'],
    ['gdpr', '2026-04-20', 'the last day for the notice was Thursday 2 April 2026'],
    ['us-va', '2026-04-17', 'the last day for the notice was Thursday 16 April 2026'],
  ] as const)('under %s on %s is refused: %s', (law, day, why) => {
    expect(apply(received(law, '2026-03-02'), extend, day)).toBe(why);
  });

  it('is refused a second time, for another reason than a delay, and once the request has ended', () => {
    const once = apply(received('gdpr', '2026-03-02'), extend, '2026-03-20');
    expect(typeof once === 'string' ? once : apply(once, extend, '2026-03-21')).toBe(
      'the law knows only one',
    );
    const state = received('gdpr', '2026-03-02');
    expect(apply(state, { type: 'extend', reason: 'LegallyExempted' }, '2026-03-20')).toMatch(
      /no reason for a delay/,
    );
    expect(apply({ ...state, ended: true }, extend, '2026-03-20')).toBe('the request has ended');
  });
});

describe('a stop of the clock', () => {
  const clarify = { type: 'stop-clock', reason: 'clarification' } as const;

  it('adds the days that the clock stood still, where the law knows such a stop', () => {
    const stopped = apply(received('uk-gdpr', '2026-03-02'), clarify, '2026-03-10');
    if (typeof stopped === 'string') throw new Error(stopped);
    expect(stopped.dueAt).toEqual(new Date('2026-04-02T23:59:59.999Z'));
    const resumed = apply(stopped, { type: 'resume-clock' }, '2026-03-16');
    expect(resumed).toMatchObject({ dueAt: new Date('2026-04-08T23:59:59.999Z') });
  });

  it('is refused where the law knows none, twice, and after the term', () => {
    expect(apply(received('gdpr', '2026-03-02'), clarify, '2026-03-10')).toBe(
      'the law knows none for this reason',
    );
    const stopped = apply(received('uk-gdpr', '2026-03-02'), clarify, '2026-03-10');
    expect(typeof stopped === 'string' ? '' : apply(stopped, clarify, '2026-03-11')).toMatch(
      /stands still since/,
    );
    expect(apply(received('uk-gdpr', '2026-03-02'), clarify, '2026-04-03')).toMatch(/the term ended on/);
    expect(apply(received('uk-gdpr', '2026-03-02'), { type: 'resume-clock' }, '2026-03-11')).toBe(
      'the clock runs',
    );
  });
});

const aCommand: fc.Arbitrary<DeadlineCommand> = fc.constantFrom<DeadlineCommand>(
  extend,
  { type: 'extend', reason: 'whim' },
  { type: 'stop-clock', reason: 'identity' },
  { type: 'stop-clock', reason: 'clarification' },
  { type: 'resume-clock' },
  { type: 'acknowledge' },
);

it('a deadline never moves without a recorded reason, never earlier, and is what its records say', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<DeadlineRules['law']>('gdpr', 'uk-gdpr', 'ccpa', 'lgpd', 'us-fl'),
      fc.array(fc.tuple(aCommand, fc.integer({ min: 0, max: 30 })), { maxLength: 12 }),
      (law, commands) => {
        let state = received(law, '2026-01-30');
        let time = state.receivedAt.getTime();
        for (const [command, days] of commands) {
          time += days * 86_400_000;
          const step = stepDeadline(state, command, new Date(time));
          if ('refused' in step) continue;
          if (step.dueAt.getTime() !== state.dueAt.getTime()) {
            expect(step.dueAt > state.dueAt).toBe(true);
            expect(['extended', 'clock-resumed']).toContain(step.change.kind);
            const why =
              step.change.kind === 'extended'
                ? step.change
                : state.changes.findLast(({ kind }) => kind === 'clock-stopped');
            expect(why?.reason).toBeTruthy();
            expect(step.explanation.length).toBeGreaterThan(0);
          }
          state = { ...state, dueAt: step.dueAt, changes: [...state.changes, step.change] };
        }
        // Counted anew from the records alone.
        const stops = state.changes.flatMap((change, index) =>
          change.kind === 'clock-stopped'
            ? [
                {
                  reason: change.reason as 'identity',
                  from: change.at,
                  until: state.changes.slice(index).find(({ kind }) => kind === 'clock-resumed')?.at ?? null,
                },
              ]
            : [],
        );
        const extensions = state.changes
          .filter(({ kind }) => kind === 'extended')
          .map((change) => ({ noticeGivenAt: change.at }));
        const counted = deadlineOf({ ...state.rules, receivedAt: state.receivedAt, extensions, stops });
        expect(counted.dueAt).toEqual(state.dueAt);
      },
    ),
  );
});

it('each level of a term comes once, in order, and late is the first moment after the end', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 10 ** 9 }),
      fc.integer({ min: 0, max: 10 ** 9 }),
      (length, start) => {
        const term: RunningTerm = { term: 'answer', from: new Date(start), until: new Date(start + length) };
        const seen: unknown[] = [];
        let now = term.from;
        for (;;) {
          const next = nextAlertAt([term], now);
          if (next === null) break;
          expect(next > now).toBe(true);
          expect(levelReached(term, new Date(next.getTime() - 1))).toBe(seen.at(-1));
          now = next;
          seen.push(levelReached(term, now));
        }
        expect(seen).toEqual([50, 80, 95, 100]);
        expect(now.getTime()).toBe(term.until.getTime() + 1);
      },
    ),
  );
});
