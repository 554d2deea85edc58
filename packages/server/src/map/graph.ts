import { MultiDirectedGraph } from 'graphology';
import type { Claim } from './claims.ts';
import type { StoreDeclaration, TransmitDeclaration } from './declaration.ts';
import type { SeenDeclaration } from './snapshot.ts';

/** A service as a node; its key is the service's name. */
export interface ServiceNode {
  /** Teams that say it is theirs, the first one first. None: somebody sends data there, but nobody declared it. */
  readonly claims: readonly Claim[];
  /** What it was said to store, and by whom. */
  readonly stores: readonly Seen<StoreDeclaration>[];
}

/** One declared movement of one data type. The same one from two sources is two edges. */
export type FlowEdge = Seen<TransmitDeclaration>;

export interface Seen<Kind> extends Omit<SeenDeclaration, 'declaration'> {
  readonly declaration: Kind;
}

export type MapGraph = MultiDirectedGraph<ServiceNode, FlowEdge>;

/** Services and the flows between them. The same input in any order gives the same graph. */
export function buildGraph(declarations: readonly SeenDeclaration[], claims: readonly Claim[]): MapGraph {
  const graph: MapGraph = new MultiDirectedGraph();
  const flows = declarations.filter(isFlow).sort(byFlow);
  const claimsByService = Map.groupBy(claims, (claim) => claim.service);
  const storesByService = Map.groupBy(
    declarations.filter(isStore).sort(byStore),
    (seen) => seen.declaration.service,
  );
  const names = new Set([...claimsByService.keys(), ...flows.map((flow) => flow.declaration.toService)]);
  for (const name of [...names].sort()) {
    graph.addNode(name, {
      claims: claimsByService.get(name) ?? [],
      stores: storesByService.get(name) ?? [],
    });
  }
  for (const flow of flows) graph.addEdge(flow.declaration.service, flow.declaration.toService, flow);
  return graph;
}

/** Services that store a data type. */
export function holdersOf(graph: MapGraph, dataType: string): readonly { service: string; team: string }[] {
  const found = graph
    .mapNodes((_, node) => node.stores)
    .flat()
    .filter((seen) => seen.declaration.dataType === dataType)
    .map(({ declaration }) => ({ service: declaration.service, team: declaration.team }));
  return distinct(found);
}

/** Pairs of services between which a data type moves. */
export function moversOf(graph: MapGraph, dataType: string): readonly { from: string; to: string }[] {
  const found = graph
    .mapEdges((_, flow, from, to) => ({ from, to, dataType: flow.declaration.dataType }))
    .filter((flow) => flow.dataType === dataType)
    .map(({ from, to }) => ({ from, to }));
  return distinct(found);
}

/** Services that it sends something to, or gets something from; of one data type if one is given. Sorted. */
export function neighboursOf(graph: MapGraph, service: string, dataType?: string): readonly string[] {
  if (!graph.hasNode(service)) return [];
  const found = graph
    .mapEdges(service, (_, flow, from, to) => ({ flow, name: from === service ? to : from }))
    .filter(({ flow }) => dataType === undefined || flow.declaration.dataType === dataType)
    .map(({ name }) => name);
  return [...new Set(found)].sort();
}

function isFlow(seen: SeenDeclaration): seen is FlowEdge {
  return seen.declaration.kind === 'transmit';
}

function isStore(seen: SeenDeclaration): seen is Seen<StoreDeclaration> {
  return seen.declaration.kind === 'store';
}

function byFlow(a: FlowEdge, b: FlowEdge): number {
  const key = ({ declaration, source }: FlowEdge) =>
    JSON.stringify([
      declaration.service,
      declaration.toService,
      declaration.dataType,
      declaration.team,
      source,
    ]);
  return key(a) < key(b) ? -1 : Number(key(a) > key(b));
}

function byStore(a: Seen<StoreDeclaration>, b: Seen<StoreDeclaration>): number {
  const key = ({ declaration, source }: Seen<StoreDeclaration>) =>
    JSON.stringify([declaration.service, declaration.dataType, declaration.team, source]);
  return key(a) < key(b) ? -1 : Number(key(a) > key(b));
}

function distinct<Item extends object>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
