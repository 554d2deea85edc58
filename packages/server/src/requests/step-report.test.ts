import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERASURE_PLAN, RequestModel } from '../../test/request-model.ts';
import type { TaskEvent } from './event.ts';

type Report = Extract<TaskEvent, { readonly type: 'task-reported' }>;

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const says = (status: Report['status'], second = 30, generation: number | null = null): Report => ({
  type: 'task-reported',
  status,
  at: at(second),
  generation,
});

/** An erasure in which system c took its work and goes on with it, and team b has its ticket. */
function underWay(): RequestModel {
  const model = new RequestModel(ERASURE_PLAN);
  model.apply({ type: 'planned', tasks: ERASURE_PLAN.length, approval: false, waitsUntil: null });
  for (const key of ['resolve:a', 'locate:a']) {
    model.apply({ type: 'task-claimed' }, key);
    model.apply({ type: 'task-succeeded', attempt: 1, matched: true }, key);
  }
  model.apply({ type: 'task-claimed' }, 'erase:c');
  model.apply({ type: 'task-pending', attempt: 1, retryAt: at(3_600), calledBackAt: null }, 'erase:c');
  return model;
}

/** The whole state that events may change, without the clock. */
const stateOf = (model: RequestModel) => ({
  request: model.request,
  tasks: [...model.tasks.values()].map(({ key, state, remaining, generation, errorCode }) => ({
    key,
    state,
    remaining,
    generation,
    errorCode,
  })),
});

const report = fc.record({
  key: fc.constantFrom('erase:c', 'ticket:b'),
  event: fc.record({
    type: fc.constant('task-reported' as const),
    status: fc.constantFrom('completed' as const, 'failed' as const),
    at: fc.nat(7_200).map(at),
    generation: fc.constantFrom(null, 1, 2),
  }),
});

describe('reports of systems', () => {
  it('lead to the same state in every order and however often each comes', () => {
    fc.assert(
      fc.property(
        fc.array(report, { minLength: 1, maxLength: 6 }).chain((reports) =>
          fc.tuple(
            fc.constant(reports),
            fc.shuffledSubarray([...reports, ...reports, ...reports], {
              minLength: reports.length * 3,
            }),
          ),
        ),
        ([reports, shuffled]) => {
          const inOrder = underWay();
          for (const { key, event } of reports) inOrder.apply(event, key);
          const disordered = underWay();
          for (const { key, event } of shuffled) {
            disordered.apply(event, key);
            expect(disordered.violations()).toEqual([]);
          }
          expect(stateOf(disordered)).toEqual(stateOf(inOrder));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leave a request that is at its end, and what a person decided, as it is', () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 5 }), (reports) => {
        const model = underWay();
        model.apply(
          {
            type: 'task-failed',
            attempt: 0,
            retryable: false,
            error: { code: 'SYSTEM_REFUSED', message: '' },
          },
          'ticket:b',
        );
        model.apply({ type: 'task-skipped', reason: 'r' }, 'erase:c');
        const before = stateOf(model);
        for (const { key, event } of reports) model.apply(event, key);
        expect(stateOf(model)).toEqual(before);
      }),
    );
  });

  it('end the task that waits for them', () => {
    const model = underWay();
    expect(model.apply(says('completed'), 'erase:c')).toBeDefined();
    expect(model.task('erase:c').state).toBe('succeeded');
    expect(model.task('verify:c').state).toBe('ready');
    expect(model.apply(says('completed'), 'ticket:b')).toBeDefined();
    expect(model.task('ticket:b').state).toBe('succeeded');
  });

  it('that say that it failed ask for a person, until one says that it is done after all', () => {
    const model = underWay();
    model.apply(says('failed'), 'erase:c');
    expect([model.task('erase:c').state, model.request.state]).toEqual(['blocked', 'blocked']);
    model.apply(says('completed', 10), 'erase:c');
    expect([model.task('erase:c').state, model.request.state]).toEqual(['succeeded', 'running']);
  });

  it('from before a retry are about a former operation', () => {
    const model = underWay();
    model.apply(says('failed'), 'erase:c');
    model.apply({ type: 'task-retried', anew: true }, 'erase:c', { now: at(100) });
    model.apply({ type: 'task-claimed' }, 'erase:c', { now: at(101) });
    model.apply({ type: 'task-pending', attempt: 2, retryAt: at(9_000), calledBackAt: null }, 'erase:c');
    for (const late of [says('failed', 99), says('completed', 99), says('completed', 200, 1)])
      expect(model.apply(late, 'erase:c')).toBeUndefined();
    expect(model.apply(says('completed', 200), 'erase:c')).toBeDefined();
  });

  it('end a task whose call failed without an answer, and not one that was never asked', () => {
    const model = underWay();
    expect(model.apply(says('completed'), 'erase:a')).toBeUndefined();
    model.apply({ type: 'task-claimed' }, 'erase:a');
    expect(model.apply(says('completed'), 'erase:a')).toBeUndefined();
    model.apply(
      { type: 'task-failed', attempt: 1, retryable: true, error: { code: 'SYSTEM_TIMEOUT', message: '' } },
      'erase:a',
    );
    expect(model.apply(says('completed'), 'erase:a')).toBeDefined();
    expect(model.task('erase:a').state).toBe('succeeded');
  });

  it('make a system asked that has to hand something over', () => {
    const model = new RequestModel([
      { key: 'collect:a', kind: 'collect', dependsOn: [] },
      { key: 'package', kind: 'package', dependsOn: ['collect:a'] },
    ]);
    model.apply({ type: 'planned', tasks: 2, approval: false, waitsUntil: null });
    model.apply({ type: 'task-claimed' }, 'collect:a');
    model.apply({ type: 'task-pending', attempt: 1, retryAt: at(9_000), calledBackAt: null }, 'collect:a');
    const asked = model.apply(says('completed'), 'collect:a', { now: at(60) });
    expect(asked?.due).toMatchObject([{ taskId: 'collect:a', at: at(60) }]);
    expect(model.task('package').state).toBe('pending');
  });
});
