import { exploreRequest } from '../packages/server/test/explore/explore-request.ts';
import { EXPLORED } from '../packages/server/test/explore/plans.ts';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';

const WORKERS = 2;
/** How much may go wrong, or be decided by a person, on one way. */
const FAULTS = 2;
const MOST_STATES = 2_000_000;

/** Every state that a request of each right can be in, and what must hold in each. */
export const states: Benchmark = {
  name: 'states',
  about: `every state of a request of each right: ${WORKERS} workers, four tasks, up to ${FAULTS} faults or decisions`,
  async run(bench) {
    let visited = 0;
    let transitions = 0;
    const violations: string[] = [];
    const notes: string[] = [];
    for (const plan of EXPLORED) {
      const explored = exploreRequest({ plan, workers: WORKERS, faults: FAULTS, mostStates: MOST_STATES });
      visited += explored.states;
      transitions += explored.transitions;
      violations.push(...explored.violations.map((violation) => `${plan.right}: ${violation}`));
      const note = `${plan.right}: ${explored.states} states, ${explored.transitions} transitions`;
      notes.push(note);
      bench.say(note);
    }
    return [
      judge({
        name: 'states',
        value: visited - violations.length,
        unit: 'states',
        baseline: visited,
        goal: { exactly: { ratio: 1 } },
        measured: 'states in which all holds that must, and from which the request can still end',
        against: 'states that were reached, each by the real state machine',
        notes: [`${transitions} transitions`, ...notes, ...violations.slice(0, 10)],
      }),
    ];
  },
};
