import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ERASURE_PLAN, RequestModel } from '../../test/request-model.ts';
import type { Step } from './change.ts';
import { claimAtOnce } from './claim-at-once.ts';

const planned = { type: 'planned', tasks: ERASURE_PLAN.length, approval: false, waitsUntil: null } as const;
const now = new Date('2026-01-01T00:00:00Z');
const context = {
  now,
  retry: { maxFailures: 3, firstDelayMilliseconds: 1, longestDelayMilliseconds: 10 },
  random: 0.5,
};

/** The clocks differ: each counts its own events. */
function timeless(model: RequestModel) {
  return [...model.tasks.values()].map((task) => ({ ...task, nextAttemptAt: task.nextAttemptAt !== null }));
}

function firstStep(): Step {
  const made = new RequestModel(ERASURE_PLAN).apply(planned, undefined, { now });
  if (made === undefined) throw new Error('the request was not planned');
  return made;
}

it('leaves the same as claims that come as events of their own', () => {
  let claimed = 0;
  const choices = fc.array(
    fc.record({
      nth: fc.nat(11),
      takes: fc.uniqueArray(fc.constantFrom(...ERASURE_PLAN.map(({ key }) => key))),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(choices, (rounds) => {
      const atOnce = new RequestModel(ERASURE_PLAN);
      const later = new RequestModel(ERASURE_PLAN);
      const both = (does: (model: RequestModel) => void, takes: readonly string[]): void => {
        const before = new Map(later.tasks);
        atOnce.takes = (key) => takes.includes(key);
        for (const model of [atOnce, later]) does(model);
        for (const [key, task] of later.tasks) {
          const due = task.state === 'ready' && before.get(key)?.state !== 'ready' && takes.includes(key);
          if (due && later.apply({ type: 'task-claimed' }, key) !== undefined) claimed += 1;
        }
        expect(timeless(atOnce)).toEqual(timeless(later));
        expect(atOnce.request).toEqual(later.request);
        expect(atOnce.violations()).toEqual([]);
      };
      both((model) => model.apply(planned, undefined, { now }), ['resolve:a']);
      for (const { nth, takes } of rounds) both((model) => model.work(nth), takes);
    }),
    { numRuns: 500, seed: 20_261_121 },
  );
  expect(claimed).toBeGreaterThan(1_000);
});

it('claims what there is a place for, and tells of it apart from what made it due', () => {
  const made = firstStep();
  const { step, facts, claimed } = claimAtOnce(made, context, () => true);
  expect(claimed).toEqual([{ taskId: 'resolve:a', attempt: 1 }]);
  expect(step.due).toEqual([]);
  expect(step.tasks.find(({ id }) => id === 'resolve:a')?.state).toBe('running');
  expect(facts.map(({ action }) => action)).toEqual(['task.started']);
  expect(step.facts).toEqual(made.facts);
});

it('leaves what there is no place for, and what is due later', () => {
  const made = firstStep();
  expect(claimAtOnce(made, context, () => false).step).toEqual(made);
  const later = { ...made, due: made.due.map((due) => ({ ...due, at: new Date(now.getTime() + 1) })) };
  const asked: string[] = [];
  const { step } = claimAtOnce(later, context, ({ taskId }) => {
    asked.push(taskId);
    return true;
  });
  expect(step).toEqual(later);
  expect(asked).toEqual([]);
});
