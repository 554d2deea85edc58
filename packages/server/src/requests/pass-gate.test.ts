import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ERASURE_PLAN, RequestModel } from '../../test/request-model.ts';
import { passGate } from './pass-gate.ts';

const planned = { type: 'planned', tasks: ERASURE_PLAN.length, approval: false, waitsUntil: null } as const;

const context = {
  now: new Date('2026-01-01T00:00:00Z'),
  retry: { maxFailures: 3, firstDelayMilliseconds: 1, longestDelayMilliseconds: 10 },
  random: 0.5,
};

/** The clocks differ: each counts its own events. */
function timeless(model: RequestModel) {
  return [...model.tasks.values()].map((task) => ({ ...task, nextAttemptAt: task.nextAttemptAt !== null }));
}

it('leaves the same as events of the gates, whatever is done in which order', () => {
  let passed = 0;
  fc.assert(
    fc.property(fc.array(fc.nat(11), { maxLength: 40 }), (choices) => {
      const atOnce = new RequestModel(ERASURE_PLAN);
      atOnce.passesGatesAtOnce = true;
      const later = new RequestModel(ERASURE_PLAN);
      for (const model of [atOnce, later]) model.apply(planned);
      for (const nth of choices) {
        for (const model of [atOnce, later]) model.work(nth);
        expect(timeless(atOnce)).toEqual(timeless(later));
        expect(atOnce.request).toEqual(later.request);
        expect(atOnce.facts).toEqual(later.facts);
      }
      for (const { kind, state } of atOnce.tasks.values())
        if (kind === 'gate' && state === 'succeeded') passed += 1;
    }),
    { numRuns: 300, seed: 20_261_122 },
  );
  expect(passed).toBeGreaterThan(300);
});

it('counts a task once that waited for what ended and for the gate', () => {
  const model = new RequestModel([
    { key: 'locate:a', kind: 'locate', dependsOn: [] },
    { key: 'gate:keys', kind: 'gate', dependsOn: ['locate:a'] },
    { key: 'erase:a', kind: 'erase', dependsOn: ['locate:a', 'gate:keys'] },
  ]);
  model.passesGatesAtOnce = true;
  model.apply({ ...planned, tasks: 3 });
  model.work(0);
  expect(model.task('erase:a')).toMatchObject({ remaining: 0, state: 'ready' });
});

it('says so where what should have been passed is no gate of the step', () => {
  const made = new RequestModel(ERASURE_PLAN).apply(planned);
  if (made === undefined) throw new Error('the request was not planned');
  expect(() => passGate(made, { gate: 'gate:keys', others: [], context })).toThrow('A gate did not open.');
});
