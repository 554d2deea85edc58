import type { api } from '@habeas/contract';
import type { MapGraph } from './graph.ts';
import { placeView } from './impact.ts';
import { edgesOnTheWay, reach } from './reach.ts';
import { type PathsOptions, simplePaths } from './simple-paths.ts';
import type { Direction, TypeGraph } from './type-graph.ts';
import { distinct, edgeView, typeView, type ViewContext } from './views.ts';

export interface ReachViewOptions {
  readonly graphs: readonly TypeGraph[];
  readonly graph: MapGraph;
  readonly context: ViewContext;
  readonly service: string;
  readonly direction: Direction;
}

/** Where the data of a service goes to, or comes from, each data type by itself. */
export function reachView(options: ReachViewOptions): Pick<api.ReachView, 'counts' | 'reached' | 'flows'> {
  const { graphs, graph, context, service, direction } = options;
  const ways = graphs.map((types) => {
    const reached = reach(types, service, direction);
    return { reached, edges: edgesOnTheWay(types, service, direction, reached) };
  });
  const reached = ways.flatMap((way) => way.reached);
  const edges = ways.flatMap((way) => way.edges);
  const places = new Map(
    reached.map((place) => [place.service, placeView(place.service, graph, context)] as const),
  );
  return {
    counts: {
      services: places.size,
      teams: new Set([...places.values()].flatMap(({ teams }) => teams)).size,
      data_types: new Set(reached.map(({ dataType }) => dataType)).size,
      flows: edges.length,
    },
    reached: reached.map((place) => ({
      service: place.service,
      teams: places.get(place.service)?.teams ?? [],
      external: context.isExternal(place.service),
      ...typeView(place.dataType, context),
      hops: place.hops,
      via: place.via,
    })),
    flows: edges.map((edge) => edgeView(edge, context)),
  };
}

export function pathsView(
  graphs: readonly TypeGraph[],
  options: PathsOptions,
  context: ViewContext,
): Pick<api.PathsView, 'truncated' | 'counts' | 'paths'> {
  const { paths, truncated } = simplePaths(graphs, options);
  return {
    truncated,
    counts: {
      paths: paths.length,
      services: new Set(paths.flatMap(({ services }) => services)).size,
      data_types: distinct(paths.flatMap(({ dataTypes }) => dataTypes)).length,
    },
    paths: paths.map(({ services, dataTypes, hops }) => ({
      services: [...services],
      data_types: [...dataTypes],
      hops: hops.map((edges, hop) => ({
        from: services[hop] ?? '',
        to: services[hop + 1] ?? '',
        flows: edges.map((edge) => edgeView(edge, context)),
      })),
    })),
  };
}
