import type { Claim } from './claims.ts';
import type { StoreDeclaration, TransmitDeclaration } from './declaration.ts';
import type { SeenDeclaration } from './seen-declaration.ts';

/** A service as a node. */
export interface ServiceNode {
  readonly name: string;
  /** Teams that say it is theirs, the first one first. None: somebody sends data there, but nobody declared it. */
  readonly claims: readonly Claim[];
  /** By which a service is known that nobody declared; none for all others. */
  readonly incoming: readonly FlowSeen[];
}

/** One declared movement of one data type: an edge. The same one from two sources is two edges. */
export type FlowSeen = Seen<TransmitDeclaration>;

export type StoreSeen = Seen<StoreDeclaration>;

interface Seen<Kind> extends Omit<SeenDeclaration, 'declaration'> {
  readonly declaration: Kind;
}

export interface MapGraph {
  /** By name, sorted. */
  readonly services: ReadonlyMap<string, ServiceNode>;
  readonly flows: readonly FlowSeen[];
  readonly stores: readonly StoreSeen[];
}

/** Services and the flows between them. Declarations come sorted by what is declared, then by source. */
export function buildGraph(declarations: readonly SeenDeclaration[], claims: readonly Claim[]): MapGraph {
  const nodes = new Map<string, { name: string; claims: Claim[]; incoming: FlowSeen[] }>();
  const nodeOf = (name: string) => {
    const node = nodes.get(name) ?? { name, claims: [], incoming: [] };
    nodes.set(name, node);
    return node;
  };
  for (const claim of claims) nodeOf(claim.service).claims.push(claim);
  const flows: FlowSeen[] = [];
  const stores: StoreSeen[] = [];
  for (const seen of declarations) {
    if (isStore(seen)) stores.push(seen);
    if (!isFlow(seen)) continue;
    flows.push(seen);
    const receiver = nodes.get(seen.declaration.toService) ?? nodeOf(seen.declaration.toService);
    if (receiver.claims.length === 0) receiver.incoming.push(seen);
  }
  const services = [...nodes].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return { services: new Map(services), flows, stores };
}

/** Services that store a data type. */
export function holdersOf(graph: MapGraph, dataType: string): readonly { service: string; team: string }[] {
  const found = graph.stores
    .filter(({ declaration }) => declaration.dataType === dataType)
    .map(({ declaration }) => ({ service: declaration.service, team: declaration.team }));
  return distinct(found);
}

/** Pairs of services between which a data type moves. */
export function moversOf(graph: MapGraph, dataType: string): readonly { from: string; to: string }[] {
  const found = graph.flows
    .filter(({ declaration }) => declaration.dataType === dataType)
    .map(({ declaration }) => ({ from: declaration.service, to: declaration.toService }));
  return distinct(found);
}

/** The flows and stores of declarations that are sorted: what teams say of their clients comes first. */
export function edgesOf(sorted: readonly SeenDeclaration[]): readonly (FlowSeen | StoreSeen)[] {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]?.declaration.kind === 'client') from = middle + 1;
    else to = middle;
  }
  return sorted.slice(from) as readonly SeenDeclaration[] as readonly (FlowSeen | StoreSeen)[];
}

export function isFlow(seen: SeenDeclaration): seen is FlowSeen {
  return seen.declaration.kind === 'transmit';
}

export function isStore(seen: SeenDeclaration): seen is StoreSeen {
  return seen.declaration.kind === 'store';
}

function distinct<Item extends object>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
