import { describe, expect, it } from 'vitest';
import { exploreRequest } from '../../test/explore/explore-request.ts';
import { EXPLORED } from '../../test/explore/plans.ts';
import type { Event, Neighbourhood } from './event.ts';
import { step } from './step.ts';

const planOf = (right: string) => {
  const plan = EXPLORED.find((one) => one.right === right);
  if (plan === undefined) throw new Error(`nothing is explored of ${right}`);
  return plan;
};

/** As docs/benchmarks.md says; another number means that the machine, or what is tried on it, is another one. */
const STATES: Readonly<Record<string, number>> = {
  access: 934,
  erasure: 2_193,
  'erasure, four eyes': 5_333,
  rectification: 2_097,
  restriction: 2_094,
  'restriction, lifted': 2_047,
  'objection, opt-out': 2_094,
};

describe('every state that two workers, a system, a team and people can bring a request into', () => {
  for (const plan of EXPLORED) {
    it(`holds what must hold, and can end, for ${plan.right}`, () => {
      const explored = exploreRequest({ plan, workers: 2, faults: 1, mostStates: 10_000 });
      expect(explored.violations.slice(0, 3)).toEqual([]);
      expect(explored.states).toBe(STATES[plan.right]);
      expect(Object.keys(explored.ends).sort()).toEqual(['cancelled', 'completed', 'expired', 'rejected']);
    });
  }

  it('holds with two faults on one way, for erasure', () => {
    const explored = exploreRequest({ plan: planOf('erasure'), workers: 2, faults: 2, mostStates: 100_000 });
    expect(explored.violations.slice(0, 3)).toEqual([]);
    expect(explored).toMatchObject({ states: 25_030, transitions: 80_196 });
  });
});

interface Broken {
  readonly right?: string;
  /** What the state machine is broken into. */
  readonly step: typeof step;
  /** What has to be found. */
  readonly finds: RegExp;
}

const about = (before: Neighbourhood, request: Partial<Neighbourhood['request']>): Neighbourhood => ({
  ...before,
  request: { ...before.request, ...request },
});
const attemptOf = (before: Neighbourhood, event: Event): Event =>
  'attempt' in event && before.task !== undefined ? { ...event, attempt: before.task.attempt } : event;

/** Each breaks one rule of the state machine. A search that does not find it finds nothing. */
const BROKEN: Readonly<Record<string, Broken>> = {
  'takes answers of attempts that were taken over': {
    step: (before, event, context) => step(before, attemptOf(before, event), context),
    finds: /a late task-\w+ of locate:a changed something/,
  },
  'takes reports about what is done anew since': {
    step: (before, event, context) => {
      const generation = before.task?.generation ?? null;
      return step(before, event.type === 'task-reported' ? { ...event, generation } : event, context);
    },
    finds: /a late task-reported of erase:a changed something/,
  },
  'begins tasks of a request that is held': {
    step: (before, event, context) => {
      if (event.type !== 'task-claimed' || before.request.state !== 'held')
        return step(before, event, context);
      const made = step(about(before, { state: 'running' }), event, context);
      return 'refused' in made ? made : { ...made, request: { ...made.request, state: 'held' } };
    },
    finds: /erase:a was begun while the request is held/,
  },
  'goes on under a legal hold': {
    step: (before, event, context) => {
      const made = step(before, event, context);
      if (event.type !== 'legal-hold-placed' || 'refused' in made) return made;
      return { ...made, request: { ...made.request, state: before.request.state } };
    },
    finds: /running under a legal hold/,
  },
  'forgets tickets of a request that is released': {
    step: (before, event, context) =>
      step(event.type === 'released' ? { ...before, others: [] } : before, event, context),
    finds: /can never end/,
  },
  'cancels what was begun already': {
    step: (before, event, context) =>
      step(
        event.type === 'cancelled' ? about(before, { destructionStarted: false }) : before,
        event,
        context,
      ),
    finds: /cancelled after a system was changed/,
  },
  'takes what is still readable for gone': {
    step: (before, event, context) =>
      event.type === 'task-failed' && event.error.code === 'STILL_READABLE'
        ? step(before, { type: 'task-succeeded', attempt: event.attempt, matched: null }, context)
        : step(before, event, context),
    finds: /completed while the system does not say what it has to/,
  },
  'starts what waits for two when one has ended': {
    right: 'rectification',
    step: (before, event, context) => {
      if (event.type !== 'task-succeeded') return step(before, event, context);
      return step(
        { ...before, others: before.others.map((other) => ({ ...other, remaining: 1 })) },
        event,
        context,
      );
    },
    finds: /gate:changed is succeeded before/,
  },
  'changes systems before the register says it': {
    right: 'restriction',
    step: (before, event, context) => {
      const early = event.type === 'task-claimed' && before.task?.kind === 'register';
      const made = step(before, event, context);
      if (!early || 'refused' in made) return made;
      return { ...made, gates: ['gate:keys'] };
    },
    finds: /restrict:a is \w+ before|restrict:a began while register is running/,
  },
  'lets one person approve what two have to': {
    right: 'erasure, four eyes',
    step: (before, event, context) =>
      step(
        event.type === 'approved' ? about(before, { approval: { needed: 1, given: [] } }) : before,
        event,
        context,
      ),
    finds: /erase:a began, and 1 approved/,
  },
  'asks again for a failed operation under the key that failed': {
    step: (before, event, context) =>
      step(before, event.type === 'task-retried' ? { ...event, anew: false } : event, context),
    finds: /can never end/,
  },
  'loses tasks of workers that crashed': {
    step: (before, event, context) =>
      event.type === 'task-lost' ? { refused: 'nobody looks' } : step(before, event, context),
    finds: /can never end/,
  },
  'changes without an audit entry': {
    step: (before, event, context) => {
      const made = step(before, event, context);
      return event.type === 'task-lost' && !('refused' in made) ? { ...made, facts: [] } : made;
    },
    finds: /changed without an audit entry/,
  },
  'counts a blocked task that was skipped': {
    step: (before, event, context) => {
      const made = step(before, event, context);
      if (event.type !== 'task-skipped' || 'refused' in made) return made;
      return { ...made, request: { ...made.request, blockedTasks: before.request.blockedTasks } };
    },
    finds: /blockedTasks says 1, there are 0/,
  },
  'holds what has ended': {
    step: (before, event, context) =>
      step(
        event.type === 'held' && before.request.state === 'completed'
          ? about(before, { state: 'running' })
          : before,
        event,
        context,
      ),
    finds: /held after it was completed/,
  },
};

describe('the search finds a state machine that', () => {
  for (const [name, { right = 'erasure', step: broken, finds }] of Object.entries(BROKEN)) {
    it(name, () => {
      const rules = { plan: planOf(right), workers: 2, mostStates: 100_000, step: broken };
      const found = [1, 2].some((faults) =>
        exploreRequest({ ...rules, faults }).violations.some((violation) => finds.test(violation)),
      );
      expect(found).toBe(true);
    });
  }
});
