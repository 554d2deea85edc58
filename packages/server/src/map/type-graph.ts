import type { FlowSeen } from './graph.ts';

/** One data type that moves between two services, with everything that is said about it. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly dataType: string;
  readonly sayings: readonly FlowSeen[];
}

/** All movements of one data type. */
export interface TypeGraph {
  readonly dataType: string;
  readonly edges: readonly Edge[];
  /** Edges by their sender. */
  readonly outgoing: ReadonlyMap<string, readonly Edge[]>;
  /** Edges by their receiver. */
  readonly incoming: ReadonlyMap<string, readonly Edge[]>;
}

export type Direction = 'upstream' | 'downstream';

/**
 * One graph for each data type, sorted by it; edges are in the order of the flows. Data is followed in one of them only:
 * that `a` sends addresses to `b`, and `b` names to `c`, brings no address to `c`.
 */
export function typeGraphsOf(flows: readonly FlowSeen[]): readonly TypeGraph[] {
  const byType = Map.groupBy(flows, ({ declaration }) => declaration.dataType);
  return [...byType]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([dataType, ofType]) => {
      const edges = mergeFlows(dataType, ofType);
      const outgoing = Map.groupBy(edges, ({ from }) => from);
      const incoming = Map.groupBy(edges, ({ to }) => to);
      return { dataType, edges, outgoing, incoming };
    });
}

/** The edges on which data leaves a service, or on which it came. */
export function edgesAt(graph: TypeGraph, service: string, direction: Direction): readonly Edge[] {
  return (direction === 'downstream' ? graph.outgoing : graph.incoming).get(service) ?? [];
}

/** The other end of an edge, seen in this direction. */
export function endOf(edge: Edge, direction: Direction): string {
  return direction === 'downstream' ? edge.to : edge.from;
}

function mergeFlows(dataType: string, flows: readonly FlowSeen[]): readonly Edge[] {
  const bySender = Map.groupBy(flows, ({ declaration }) => declaration.service);
  return [...bySender].flatMap(([from, sent]) =>
    [...Map.groupBy(sent, ({ declaration }) => declaration.toService)].map(([to, sayings]) => ({
      from,
      to,
      dataType,
      sayings,
    })),
  );
}
