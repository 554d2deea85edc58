import { reach } from './reach.ts';
import type { Edge, TypeGraph } from './type-graph.ts';

export interface PathsOptions {
  readonly from: string;
  readonly to: string;
  /** Longest path, in hops. */
  readonly maxHops: number;
  /** Most paths. */
  readonly limit: number;
}

export interface FoundPath {
  /** From the first to the last service, each once. */
  readonly services: readonly string[];
  /** Data types that go the whole way. */
  readonly dataTypes: readonly string[];
  /** Per hop the edges of those data types. */
  readonly hops: readonly (readonly Edge[])[];
}

/** So many extensions of a path are tried, however the graph is made: about a second. */
const MOST_STEPS = 1_000_000;

/**
 * All simple ways that one data type can take from one service to another, shortest first; data types that go the same
 * way share a path. Each length is searched by itself, and only where the rest of the way can still be short enough.
 */
export function simplePaths(
  graphs: readonly TypeGraph[],
  options: PathsOptions,
): { readonly paths: readonly FoundPath[]; readonly truncated: boolean } {
  const { from, to, maxHops, limit } = options;
  const found = new Map<string, Edge[][]>();
  const budget = { steps: MOST_STEPS };
  if (from === to) return { paths: [], truncated: false };
  const searched = graphs
    .map((graph) => ({ graph, left: distancesTo(graph, to) }))
    .filter(({ left }) => (left.get(from) ?? Number.POSITIVE_INFINITY) <= maxHops);
  let truncated = false;
  for (let length = 1; length <= maxHops && !truncated; length += 1) {
    for (const { graph, left } of searched) {
      for (const path of pathsOfLength({ graph, left, from, length, budget })) {
        const key = JSON.stringify(path.map((edge) => edge.to));
        const same = found.get(key);
        if (same !== undefined) same.push(path);
        else if (found.size < limit) found.set(key, [path]);
        else truncated = true;
      }
      if (budget.steps <= 0) truncated = true;
    }
  }
  return { paths: [...found.values()].map((paths) => join(from, paths)), truncated };
}

/** How far each service is from the last one, along the data type. */
function distancesTo(graph: TypeGraph, to: string): ReadonlyMap<string, number> {
  return new Map([
    [to, 0],
    ...reach(graph, to, 'upstream').map(({ service, hops }) => [service, hops] as const),
  ]);
}

interface SearchOptions {
  readonly graph: TypeGraph;
  readonly left: ReadonlyMap<string, number>;
  readonly from: string;
  readonly length: number;
  readonly budget: { steps: number };
}

/** Simple paths of exactly this length. Ends early when the budget is used up. */
function* pathsOfLength({ graph, left, from, length, budget }: SearchOptions): Generator<Edge[]> {
  const edges: Edge[] = [];
  const visited = new Set([from]);
  yield* extend(from);

  function* extend(service: string): Generator<Edge[]> {
    const rest = length - edges.length - 1;
    for (const edge of graph.outgoing.get(service) ?? []) {
      const distance = left.get(edge.to);
      if (distance === undefined || distance > rest || (distance === 0 && rest > 0)) continue;
      if (visited.has(edge.to)) continue;
      budget.steps -= 1;
      if (budget.steps < 0) return;
      edges.push(edge);
      if (rest === 0) yield [...edges];
      else {
        visited.add(edge.to);
        yield* extend(edge.to);
        visited.delete(edge.to);
      }
      edges.pop();
    }
  }
}

function join(from: string, paths: readonly Edge[][]): FoundPath {
  const [first = []] = paths;
  return {
    services: [from, ...first.map((edge) => edge.to)],
    dataTypes: paths.map((path) => path[0]?.dataType ?? '').sort(),
    hops: first.map((_, hop) => paths.flatMap((path) => path[hop] ?? [])),
  };
}
