import { expect, it } from 'vitest';
import { exploreRequest, FOUR_TASKS } from '../../test/explore-request.ts';

it('holds in every state that two workers can bring four tasks into, whatever crashes, repeats, comes late or comes back', () => {
  const explored = exploreRequest({ plan: FOUR_TASKS, workers: 2, faults: 3, mostStates: 100_000 });
  expect(explored.violations.slice(0, 3)).toEqual([]);
  // As docs/architecture.md says; another number means that the machine, or what is tried on it, is another one.
  expect(explored).toMatchObject({ states: 12_340, transitions: 61_577 });
  expect(explored.ends).toEqual({ cancelled: 130, completed: 453 });
});
