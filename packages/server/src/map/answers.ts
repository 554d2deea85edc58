import type { api } from '@habeas/contract';
import { answererOf } from './answerer.ts';
import { byTeam } from './by-team.ts';
import { type Claim, type ConnectedService, claimsOf } from './claims.ts';
import { currentDeclarations } from './current-declarations.ts';
import { type Filter, gapFits, isEmpty, type Selection, select } from './filter.ts';
import { findGaps } from './gaps.ts';
import {
  buildGraph,
  edgesOf,
  type FlowSeen,
  holdersOf,
  type MapGraph,
  moversOf,
  type ServiceNode,
  type StoreSeen,
} from './graph.ts';
import { impactOf, placeView } from './impact.ts';
import type { KnownClient } from './known-client.ts';
import type { MapPart } from './map-answer.ts';
import { reachOfAll } from './reach-of-all.ts';
import type { MapSnapshot } from './snapshot.ts';
import type { System } from './system.ts';
import { type TypeGraph, typeGraphsOf } from './type-graph.ts';
import { distinct, earliest, latest, timeView, type ViewContext } from './views.ts';
import { pathsView, reachView } from './ways.ts';

export interface AnswerContext {
  readonly connections: readonly ConnectedService[];
  /** The category of a data type, or undefined if the configuration gives none. */
  readonly categoryOf: (dataType: string) => string | undefined;
  /** The category that the name of a data type suggests. (Default: none) */
  readonly suggestCategory?: ((dataType: string) => string | undefined) | undefined;
  /** Services that the configuration calls external. */
  readonly external: ReadonlySet<string>;
}

/** All that can be asked about the map of one moment. Pure. */
export interface MapAnswers {
  readonly context: ViewContext;
  part(filter?: Filter): MapPart;
  teams(filter?: Filter): api.MapTeamsView;
  /** Flows and stores that a filter leaves, sorted like declarations. */
  edges(filter?: Filter): readonly (FlowSeen | StoreSeen)[];
  services(): readonly api.ServiceView[];
  /** Without those that somebody approved. */
  gaps(filter?: Filter): readonly api.GapView[];
  allGaps(filter?: Filter): readonly api.GapView[];
  holders(dataType: string): api.HoldersView;
  systems(): readonly System[];
  names(): Iterable<string>;
  has(service: string): boolean;
  reach(
    service: string,
    direction: 'upstream' | 'downstream',
    filter?: Filter,
  ): Pick<api.ReachView, 'counts' | 'reached' | 'flows'>;
  paths(
    options: { readonly from: string; readonly to: string; readonly maxHops: number; readonly limit: number },
    filter?: Filter,
  ): Pick<api.PathsView, 'truncated' | 'counts' | 'paths'>;
  impact(service: string, filter?: Filter): ReturnType<typeof impactOf>;
  impacts(filter?: Filter): api.ImpactListView['items'];
}

export interface AnswersOptions extends AnswerContext {
  /** now: with the gaps that come from sources and clients, which are known as they are now only. (Default: now) */
  readonly moment?: 'now' | 'past';
}

export function answersOf(
  snapshot: Pick<MapSnapshot, 'declarations' | 'clients' | 'sources' | 'loss'> &
    Partial<Pick<MapSnapshot, 'decisions'>>,
  options: AnswersOptions,
): MapAnswers {
  const { clients, sources, loss } = snapshot;
  const { categoryOf, connections, external } = options;
  const declarations = currentDeclarations(snapshot.declarations, sources);
  const claims = once(() => claimsOf(declarations, connections));
  const clientsOf = Map.groupBy(clients, ({ team }) => team);
  const graphNow = once(() => buildGraph(declarations, claims()));
  const systems = once(() => systemsOf(claims(), clientsOf));
  const outside = once(() => {
    const undeclared = [...graphNow().services.values()].filter(({ claims: own }) => own.length === 0);
    return new Set([...external, ...undeclared.map(({ name }) => name)]);
  });
  const isExternal = (service: string) => outside().has(service);
  const context: ViewContext = { categoryOf, isExternal };
  const services = once(() => servicesOf(graphNow(), clientsOf, context));
  const gaps = once(() =>
    findGaps({
      graph: graphNow(),
      systems: systems(),
      clients,
      sources,
      loss,
      categoryOf,
      suggestCategory: options.suggestCategory,
      decisions: options.moment === 'past' ? undefined : snapshot.decisions,
      moment: options.moment ?? 'now',
    }),
  );
  const selected = (filter: Filter) => select(graphNow(), filter, context);
  const graphs = (filter: Filter): readonly TypeGraph[] => typeGraphsOf(selected(filter).flows);
  const allGapsOf = (filter: Filter) => gaps().filter((gap) => gapFits(gap, filter, context));
  const gapsOf = (filter: Filter) =>
    allGapsOf(filter).filter(({ decision }) => decision?.decision !== 'approved');

  return {
    services,
    systems,
    gaps: (filter = {}) => gapsOf(filter),
    allGaps: (filter = {}) => allGapsOf(filter),
    names: () => graphNow().services.keys(),
    has: (service) => graphNow().services.has(service),
    holders: (dataType) => ({
      data_type: dataType,
      holders: [...holdersOf(graphNow(), dataType)],
      movers: [...moversOf(graphNow(), dataType)],
    }),
    edges(filter = {}) {
      if (isEmpty(filter)) return edgesOf(declarations);
      const { flows, stores } = selected(filter);
      return [...stores, ...flows];
    },
    context,
    part(filter = {}) {
      const selection = selected(filter);
      const shownServices = services().filter(({ name }) => selection.services.has(name));
      const shownGaps = gapsOf(filter);
      return {
        counts: { ...countsOf(selection, shownServices), gaps: shownGaps.length },
        services: shownServices,
        flows: selection.flows,
        stores: selection.stores,
        gaps: shownGaps,
      };
    },
    teams: (filter = {}) => byTeam(graphNow(), selected(filter), context),
    reach: (service, direction, filter = {}) =>
      reachView({ graphs: graphs(filter), graph: graphNow(), context, service, direction }),
    paths: (asked, filter = {}) => pathsView(graphs(filter), asked, context),
    impact: (service, filter = {}) =>
      impactOf(service, { graph: graphNow(), selection: selected(filter), clients, context }),
    impacts(filter = {}) {
      const selection = selected(filter);
      return impactsOf({ graph: graphNow(), selection, context });
    },
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

type ClientsByTeam = ReadonlyMap<string, readonly KnownClient[]>;

function systemsOf(claims: readonly Claim[], clients: ClientsByTeam): readonly System[] {
  return claims
    .filter((claim) => claim.stores.length > 0)
    .map((claim) => ({
      key: claim.key,
      service: claim.service,
      team: claim.team,
      dataTypes: claim.stores,
      answeredBy: answererOf(claim, clients.get(claim.team) ?? []),
    }));
}

function servicesOf(
  graph: MapGraph,
  clients: ClientsByTeam,
  { isExternal }: ViewContext,
): readonly api.ServiceView[] {
  return [...graph.services.values()].flatMap((node): api.ServiceView[] => {
    if (node.claims.length === 0) return [undeclaredService(node)];
    return node.claims.map((claim) => ({
      name: node.name,
      team: claim.team,
      external: isExternal(node.name),
      stores: [...claim.stores],
      first_seen: claim.firstSeen === null ? null : timeView(claim.firstSeen),
      last_seen: claim.lastSeen === null ? null : timeView(claim.lastSeen),
      answered_by: answererOf(claim, clients.get(claim.team) ?? []).kind,
    }));
  });
}

/** Seen only through those who send to it. */
function undeclaredService({ name, incoming }: ServiceNode): api.ServiceView {
  return {
    name,
    team: null,
    external: true,
    stores: [],
    first_seen: timeView(earliest(incoming)),
    last_seen: timeView(latest(incoming)),
    answered_by: 'nobody',
  };
}

function countsOf(
  { services, stores, flows }: Selection,
  shown: readonly api.ServiceView[],
): Omit<api.MapView['counts'], 'gaps'> {
  const dataTypes = new Set(stores.map(({ declaration }) => declaration.dataType));
  for (const { declaration } of flows) dataTypes.add(declaration.dataType);
  return {
    services: services.size,
    teams: new Set(shown.flatMap(({ team }) => team ?? [])).size,
    data_types: dataTypes.size,
    stores: countIdentities(stores),
    flows: countIdentities(flows),
  };
}

/** Those of one store or flow stand side by side. */
function countIdentities(edges: readonly (FlowSeen | StoreSeen)[]): number {
  let count = 0;
  let before: string | undefined;
  for (const { known } of edges) {
    if (known.identity !== before) count += 1;
    before = known.identity;
  }
  return count;
}

function impactsOf({
  graph,
  selection,
  context,
}: {
  readonly graph: MapGraph;
  readonly selection: Selection;
  readonly context: ViewContext;
}): api.ImpactListView['items'] {
  const services = distinct(selection.services);
  const graphs = typeGraphsOf(selection.flows);
  const upstream = reachOfAll(graphs, services, 'upstream');
  const downstream = reachOfAll(graphs, services, 'downstream');
  const types = new Map(services.map((service) => [service, new Set<string>()]));
  for (const { declaration } of [...selection.stores, ...selection.flows]) {
    types.get(declaration.service)?.add(declaration.dataType);
    if (declaration.kind === 'transmit') types.get(declaration.toService)?.add(declaration.dataType);
  }
  return services
    .map((service) => ({
      service,
      ...placeView(service, graph, context),
      data_types: types.get(service)?.size ?? 0,
      upstream: upstream.get(service) ?? 0,
      downstream: downstream.get(service) ?? 0,
    }))
    .sort(
      (a, b) =>
        b.downstream - a.downstream || b.data_types - a.data_types || (a.service < b.service ? -1 : 1),
    );
}
