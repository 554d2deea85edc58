import { isEnded } from '../../src/requests/snapshot.ts';
import { moves } from './moves.ts';
import { beginning, keyOf, type Rules, type World } from './world.ts';
import { wrongIn } from './wrong-in.ts';

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** How many states each end of a request was reached in. */
  readonly ends: Readonly<Record<string, number>>;
  /** What must never be, with the events that led there. */
  readonly violations: readonly string[];
}

export interface ExploreOptions extends Rules {
  /** How much may go wrong, or be decided by a person, on one way. */
  readonly faults: number;
  /** Given up beyond this, as an error. */
  readonly mostStates: number;
}

/** The search is over when it has found so many violations: a machine that is broken may have states without end. */
const MOST_VIOLATIONS = 10;

/**
 * Visits every state that a request can be in, by every order of what workers, systems, people and failures do. In each state what
 * must always hold is checked, and from each state the request must still be able to end.
 */
export function exploreRequest(options: ExploreOptions): Explored {
  const first = beginning(options);
  const ids = new Map<string, number>([[keyOf(first), 0]]);
  const worlds: World[] = [first];
  const came: { readonly from: number; readonly by: string }[] = [{ from: -1, by: 'received' }];
  const before: number[][] = [[]];
  const violations: string[] = [];
  let transitions = 0;
  const path = (id: number): string => {
    const steps: string[] = [];
    for (let at = id; at >= 0; at = came[at]?.from ?? -1) steps.push(came[at]?.by ?? '');
    return steps.reverse().join(' → ');
  };
  for (let id = 0; id < worlds.length && violations.length < MOST_VIOLATIONS; id += 1) {
    const world = worlds[id] as World;
    for (const { by, next, wrong } of moves(options, world)) {
      transitions += 1;
      if (wrong !== undefined) violations.push(`${wrong}: ${path(id)} → ${by}`);
      const key = keyOf(next);
      let known = ids.get(key);
      if (known === undefined) {
        known = worlds.length;
        if (known >= options.mostStates) throw new Error(`more than ${options.mostStates} states`);
        ids.set(key, known);
        worlds.push(next);
        came.push({ from: id, by });
        before.push([]);
        for (const found of wrongIn(options, next)) violations.push(`${found}: ${path(known)}`);
      }
      before[known]?.push(id);
    }
  }
  const ends: Record<string, number> = {};
  const ended: number[] = [];
  for (const [id, { request }] of worlds.entries()) {
    if (!isEnded(request.state)) continue;
    ends[request.state] = (ends[request.state] ?? 0) + 1;
    ended.push(id);
  }
  const complete = violations.length < MOST_VIOLATIONS;
  for (const id of complete ? neverEnding(before, ended) : []) violations.push(`can never end: ${path(id)}`);
  return { states: worlds.length, transitions, ends, violations };
}

/** States from which no way leads to an end: all that a walk backwards from the ends does not reach. */
function neverEnding(before: readonly (readonly number[])[], ended: readonly number[]): readonly number[] {
  const reaches = new Set(ended);
  const queue = [...ended];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const earlier of before[id] ?? []) {
      if (reaches.has(earlier)) continue;
      reaches.add(earlier);
      queue.push(earlier);
    }
  }
  return before.map((_, id) => id).filter((id) => !reaches.has(id));
}
