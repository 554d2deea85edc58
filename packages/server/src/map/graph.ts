import type { Claim } from './claims.ts';
import type { StoreDeclaration, TransmitDeclaration } from './declaration.ts';
import type { SeenDeclaration } from './seen-declaration.ts';

/** A service as a node. */
export interface ServiceNode {
  readonly name: string;
  /** Teams that say it is theirs, the first one first. None: somebody sends data there, but nobody declared it. */
  readonly claims: readonly Claim[];
  /** What it was said to store, and by whom. */
  readonly stores: readonly StoreSeen[];
  readonly incoming: readonly FlowSeen[];
  readonly outgoing: readonly FlowSeen[];
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
  const flows = declarations.filter(isFlow);
  const stores = declarations.filter(isStore);
  const claimsOf = Map.groupBy(claims, (claim) => claim.service);
  const storesOf = Map.groupBy(stores, ({ declaration }) => declaration.service);
  const incoming = Map.groupBy(flows, ({ declaration }) => declaration.toService);
  const outgoing = Map.groupBy(flows, ({ declaration }) => declaration.service);
  const names = [...new Set([...claimsOf.keys(), ...incoming.keys()])].sort();
  const services = names.map((name): [string, ServiceNode] => [
    name,
    {
      name,
      claims: claimsOf.get(name) ?? [],
      stores: storesOf.get(name) ?? [],
      incoming: incoming.get(name) ?? [],
      outgoing: outgoing.get(name) ?? [],
    },
  ]);
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

export function isFlow(seen: SeenDeclaration): seen is FlowSeen {
  return seen.declaration.kind === 'transmit';
}

export function isStore(seen: SeenDeclaration): seen is StoreSeen {
  return seen.declaration.kind === 'store';
}

function distinct<Item extends object>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
