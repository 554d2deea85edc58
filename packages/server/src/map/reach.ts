import { type Direction, type Edge, edgesAt, endOf, type TypeGraph } from './type-graph.ts';

export interface Reached {
  readonly service: string;
  readonly dataType: string;
  /** Length of a shortest way. */
  readonly hops: number;
  /** The service before it on that way. */
  readonly via: string;
}

/** Where one data type goes to, or comes from, nearest first; the start is not among them. Ends on cycles. */
export function reach(graph: TypeGraph, start: string, direction: Direction): readonly Reached[] {
  const seen = new Set([start]);
  const reached: Reached[] = [];
  let frontier = [start];
  for (let hops = 1; frontier.length > 0; hops += 1) {
    const next: string[] = [];
    for (const via of frontier) {
      for (const edge of edgesAt(graph, via, direction)) {
        const service = endOf(edge, direction);
        if (seen.has(service)) continue;
        seen.add(service);
        next.push(service);
        reached.push({ service, dataType: graph.dataType, hops, via });
      }
    }
    frontier = next;
  }
  return reached;
}

/** Every edge that data takes which begins, or ends, at the start. */
export function edgesOnTheWay(
  graph: TypeGraph,
  start: string,
  direction: Direction,
  reached: readonly Reached[],
): readonly Edge[] {
  return [start, ...reached.map(({ service }) => service)].flatMap((service) =>
    edgesAt(graph, service, direction),
  );
}
