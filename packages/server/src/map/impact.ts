import type { api } from '@habeas/contract';
import type { Selection } from './filter.ts';
import type { MapGraph } from './graph.ts';
import type { KnownClient } from './known-client.ts';
import { type Reached, reach } from './reach.ts';
import { type Direction, edgesAt, typeGraphsOf } from './type-graph.ts';
import { distinct, typeView, type ViewContext } from './views.ts';

export interface ImpactOptions {
  readonly graph: MapGraph;
  readonly selection: Selection;
  readonly clients: readonly KnownClient[];
  readonly context: ViewContext;
}

type Impact = Pick<
  api.ImpactView,
  'service' | 'teams' | 'external' | 'counts' | 'data' | 'categories' | 'upstream' | 'downstream' | 'call'
>;

/** Whom it concerns if a service goes away or is breached: each data type is followed by itself, both ways. */
export function impactOf(service: string, options: ImpactOptions): Impact {
  const { graph, selection, context } = options;
  const typeGraphs = typeGraphsOf(selection.flows);
  const stored = new Set(
    selection.stores.flatMap(({ declaration }) =>
      declaration.service === service ? declaration.dataType : [],
    ),
  );
  const received = typesAt('upstream');
  const sent = typesAt('downstream');
  const dataTypes = distinct([...stored, ...received, ...sent]);
  const upstream = affected('upstream');
  const downstream = affected('downstream');
  const categories = distinct(dataTypes.flatMap((dataType) => context.categoryOf(dataType) ?? []));
  const call = whomToCall(service, { upstream, downstream }, options);
  return {
    service,
    ...placeView(service, graph, context),
    counts: {
      categories: categories.length,
      data_types: dataTypes.length,
      services: new Set([service, ...[...upstream, ...downstream].map((place) => place.service)]).size,
      teams: call.filter(({ team }) => team !== null).length,
    },
    data: dataTypes.map((dataType) => ({
      ...typeView(dataType, context),
      stored: stored.has(dataType),
      received: received.has(dataType),
      sent: sent.has(dataType),
    })),
    categories,
    upstream,
    downstream,
    call,
  };

  function typesAt(direction: Direction): ReadonlySet<string> {
    const touched = typeGraphs.filter((types) => edgesAt(types, service, direction).length > 0);
    return new Set(touched.map(({ dataType }) => dataType));
  }

  function affected(direction: Direction): api.ImpactView['upstream'] {
    const reached = typeGraphs.flatMap((types) => reach(types, service, direction));
    return [...Map.groupBy(reached, (place) => place.service)]
      .map(([name, ways]) => affectedView(name, ways))
      .sort((a, b) => a.hops - b.hops || (a.service < b.service ? -1 : 1));
  }

  function affectedView(name: string, ways: readonly Reached[]): api.ImpactView['upstream'][number] {
    return {
      service: name,
      ...placeView(name, graph, context),
      data_types: distinct(ways.map(({ dataType }) => dataType)),
      hops: Math.min(...ways.map(({ hops }) => hops)),
    };
  }
}

/** Who says that a service is theirs, and whether it is outside. */
export function placeView(service: string, graph: MapGraph, context: Pick<ViewContext, 'isExternal'>) {
  const claims = graph.services.get(service)?.claims ?? [];
  return { teams: claims.map(({ team }) => team), external: context.isExternal(service) };
}

function whomToCall(
  service: string,
  { upstream, downstream }: Pick<Impact, 'upstream' | 'downstream'>,
  { graph, context, clients }: ImpactOptions,
): Impact['call'] {
  const calls = [
    { service, ...placeView(service, graph, context), hops: 0, because: 'owner' as const },
    ...downstream.map((place) => ({ ...place, because: 'downstream' as const })),
    ...upstream.map((place) => ({ ...place, because: 'upstream' as const })),
  ];
  const byTeam = Map.groupBy(
    calls.flatMap((call) =>
      (call.teams.length === 0 ? [null] : call.teams).map((team) => ({ ...call, team })),
    ),
    ({ team }) => team,
  );
  return [...byTeam]
    .map(([team, reasons]) => ({
      hops: Math.min(...reasons.map(({ hops }) => hops)),
      view: {
        team,
        services: distinct(reasons.map((reason) => reason.service)),
        because: [...new Set(reasons.map(({ because }) => because))],
        clients: distinct(
          clients.flatMap((client) =>
            client.team === team && client.state === 'approved' ? client.address : [],
          ),
        ),
      },
    }))
    .sort(
      (a, b) =>
        Number(a.view.team === null) - Number(b.view.team === null) ||
        a.hops - b.hops ||
        b.view.services.length - a.view.services.length ||
        ((a.view.team ?? '') < (b.view.team ?? '') ? -1 : 1),
    )
    .map(({ view }) => view);
}
