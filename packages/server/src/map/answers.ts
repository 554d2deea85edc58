import type { api } from '@habeas/contract';
import { answererOf } from './answerer.ts';
import { type Claim, type ConnectedService, claimsOf } from './claims.ts';
import { currentDeclarations } from './current-declarations.ts';
import type { MapQuery } from './data-map.ts';
import { findGaps } from './gaps.ts';
import {
  buildGraph,
  type FlowSeen,
  holdersOf,
  type MapGraph,
  moversOf,
  neighboursOf,
  type ServiceNode,
  type StoreSeen,
} from './graph.ts';
import type { KnownClient, MapSnapshot } from './snapshot.ts';
import type { System } from './system.ts';

export interface AnswerContext {
  readonly connections: readonly ConnectedService[];
  /** The category of a data type, or undefined if the configuration gives none. */
  readonly categoryOf: (dataType: string) => string | undefined;
}

/** All that can be asked about one snapshot. Pure. */
export interface MapAnswers {
  map(query: MapQuery, at: Date): api.MapView;
  services(): readonly api.ServiceView[];
  gaps(): readonly api.GapView[];
  holders(dataType: string): api.HoldersView;
  systems(): readonly System[];
}

export function answersOf(snapshot: MapSnapshot, context: AnswerContext): MapAnswers {
  const { clients, sources } = snapshot;
  const declarations = currentDeclarations(snapshot);
  const claims = claimsOf(declarations, context.connections);
  const graph = buildGraph(declarations, claims);
  const systems = systemsOf(claims, clients);
  const services = servicesOf(graph, clients);
  const gaps = findGaps({ graph, systems, clients, sources, categoryOf: context.categoryOf });
  return {
    services: () => services,
    gaps: () => gaps,
    systems: () => systems,
    holders: (dataType) => ({
      data_type: dataType,
      holders: [...holdersOf(graph, dataType)],
      movers: [...moversOf(graph, dataType)],
    }),
    map(query, at) {
      const chosen = choose(graph, query);
      return {
        at: at.toISOString(),
        services: services.filter((service) => chosen.services.has(service.name)),
        stores: graph.stores.filter(({ declaration }) => chosen.store(declaration)).map(storeView),
        flows: graph.flows.filter(({ declaration }) => chosen.flow(declaration)).map(flowView),
        gaps: gaps.filter((gap) => fits(gap, query)),
      };
    },
  };

  function storeView(seen: StoreSeen): api.MapView['stores'][number] {
    const { service, team, dataType } = seen.declaration;
    return { service, team, ...sharedView(dataType, seen) };
  }

  function flowView(seen: FlowSeen): api.FlowView {
    const { service, toService, dataType } = seen.declaration;
    return { from: service, to: toService, ...sharedView(dataType, seen) };
  }

  function sharedView(dataType: string, seen: StoreSeen | FlowSeen) {
    return {
      data_type: dataType,
      category: context.categoryOf(dataType) ?? null,
      first_seen: seen.firstSeen.toISOString(),
      last_seen: seen.lastSeen.toISOString(),
      source: seen.source,
    };
  }
}

function systemsOf(claims: readonly Claim[], clients: readonly KnownClient[]): readonly System[] {
  return claims
    .filter((claim) => claim.stores.length > 0)
    .map((claim) => ({
      key: claim.key,
      service: claim.service,
      team: claim.team,
      dataTypes: claim.stores,
      answeredBy: answererOf(claim, clients),
    }));
}

function servicesOf(graph: MapGraph, clients: readonly KnownClient[]): readonly api.ServiceView[] {
  return [...graph.services.values()].flatMap((node): api.ServiceView[] => {
    if (node.claims.length === 0) return [undeclaredService(node)];
    return node.claims.map((claim) => ({
      name: node.name,
      team: claim.team,
      stores: [...claim.stores],
      first_seen: claim.firstSeen?.toISOString() ?? null,
      last_seen: claim.lastSeen?.toISOString() ?? null,
      answered_by: answererOf(claim, clients).kind,
    }));
  });
}

/** Seen only through those who send to it. */
function undeclaredService({ name, incoming: flows }: ServiceNode): api.ServiceView {
  const first = Math.min(...flows.map((flow) => flow.firstSeen.getTime()));
  const last = Math.max(...flows.map((flow) => flow.lastSeen.getTime()));
  return {
    name,
    team: null,
    stores: [],
    first_seen: new Date(first).toISOString(),
    last_seen: new Date(last).toISOString(),
    answered_by: 'nobody',
  };
}

/** What a query shows: what it names and, so that no arrow ends in nothing, the services at both ends of each flow. */
function choose(graph: MapGraph, query: MapQuery) {
  const ofTeam = (service: string) =>
    graph.services.get(service)?.claims.some((claim) => claim.team === query.team) === true;
  const named = (service: string) =>
    (query.service === undefined || service === query.service) &&
    (query.team === undefined || ofTeam(service));
  const typed = (dataType: string) => query.data_type === undefined || dataType === query.data_type;
  const store = (store: StoreSeen['declaration']) =>
    named(store.service) && typed(store.dataType) && (query.team === undefined || store.team === query.team);
  const flow = (flow: FlowSeen['declaration']) =>
    typed(flow.dataType) && (named(flow.service) || named(flow.toService));
  const services = new Set<string>();
  for (const node of graph.services.values()) {
    if (!named(node.name)) continue;
    const neighbours = neighboursOf(node, query.data_type);
    const holds = node.stores.some(({ declaration }) => store(declaration));
    if (query.data_type === undefined || holds || neighbours.length > 0) services.add(node.name);
    for (const neighbour of neighbours) services.add(neighbour);
  }
  return { services, store, flow };
}

function fits(gap: api.GapView, query: MapQuery): boolean {
  return (
    (query.team === undefined || gap.team === query.team) &&
    (query.service === undefined || gap.service === query.service) &&
    (query.data_type === undefined || gap.data_type === query.data_type)
  );
}
