import type { FlowSeen, StoreSeen } from './graph.ts';
import { earliest, latest } from './views.ts';

type EdgeSeen = FlowSeen | StoreSeen;

/** The flows and stores that a filter leaves of the map of one moment, sorted like declarations. */
export interface MomentEdges {
  readonly at: Date;
  readonly edges: readonly EdgeSeen[];
}

/** What is other at the later of two moments. */
export interface MapChanges {
  readonly from: Date;
  readonly to: Date;
  readonly added: readonly Change[];
  readonly removed: readonly Change[];
  readonly changed: readonly Change[];
}

/** One flow or store that was added, removed or changed. */
export interface Change {
  /** What was said about it at the earlier moment; none: it is added. */
  readonly before: readonly EdgeSeen[];
  /** And at the later one; none: it is removed. */
  readonly after: readonly EdgeSeen[];
  /** One of those whose words make the difference. */
  readonly first: EdgeSeen;
  /** All of them. */
  readonly by: readonly EdgeSeen[];
  /** In milliseconds: when it was seen first so or, if it is removed, seen last. */
  readonly at: number;
}

/**
 * What was added, removed and changed from the earlier to the later moment, with who says so and since when. One flow,
 * or store, is the same while its services and data type are; what teams say about it may change.
 */
export function changesBetween(earlier: MomentEdges, later: MomentEdges): MapChanges {
  const added: Change[] = [];
  const removed: Change[] = [];
  const changed: Change[] = [];
  eachPair(earlier.edges, later.edges, (before, after) => {
    if (before.length === 0) add(added, { before, after, by: after, at: earliest(after) });
    else if (after.length === 0) add(removed, { before, after, by: before, at: latest(before) });
    else {
      const [keysBefore, keysAfter] = [keysOf(before), keysOf(after)];
      const fresh = after.filter(({ known }) => !keysBefore.has(known.key));
      const gone = before.filter(({ known }) => !keysAfter.has(known.key));
      const at = fresh.length > 0 ? earliest(fresh) : latest(gone);
      add(changed, { before, after, by: [...fresh, ...gone], at });
    }
  });
  return { from: earlier.at, to: later.at, added, removed, changed };
}

function add(changes: Change[], { before, after, by, at }: Omit<Change, 'first'>): void {
  const [first] = by;
  if (first !== undefined) changes.push({ before, after, first, by, at });
}

function keysOf(edges: readonly EdgeSeen[]): ReadonlySet<string> {
  return new Set(edges.map(({ known }) => known.key));
}

const NOTHING: readonly EdgeSeen[] = [];

/** What is said about each flow and store at both moments, in order. What is said by the same words alone is left out. */
function eachPair(
  old: readonly EdgeSeen[],
  now: readonly EdgeSeen[],
  visit: (before: readonly EdgeSeen[], after: readonly EdgeSeen[]) => void,
): void {
  for (let left = 0, right = 0; left < old.length || right < now.length; ) {
    const one = old[left];
    const other = now[right];
    const order = compareIdentities(one, other);
    const [oldFrom, nowFrom] = [left, right];
    if (order <= 0) left = endOf(old, left);
    if (order >= 0) right = endOf(now, right);
    // Nearly everything is the same at both moments, and said once.
    if (order === 0 && left - oldFrom === 1 && right - nowFrom === 1 && one?.known.key === other?.known.key) {
      continue;
    }
    visit(
      left === oldFrom ? NOTHING : old.slice(oldFrom, left),
      right === nowFrom ? NOTHING : now.slice(nowFrom, right),
    );
  }
}

/** Where what is said about the flow or store at this place ends. */
function endOf(edges: readonly EdgeSeen[], from: number): number {
  const identity = edges[from]?.known.identity;
  let end = from + 1;
  while (end < edges.length && edges[end]?.known.identity === identity) end += 1;
  return end;
}

/** What is at its end comes last. */
function compareIdentities(one: EdgeSeen | undefined, other: EdgeSeen | undefined): number {
  if (one === undefined) return 1;
  if (other === undefined) return -1;
  const [a, b] = [one.known.identity, other.known.identity];
  return a === b ? 0 : a < b ? -1 : 1;
}
