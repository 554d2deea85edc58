import type { api } from '@habeas/contract';
import type { Selection } from './filter.ts';
import type { MapGraph } from './graph.ts';
import { distinct, type ViewContext } from './views.ts';

/** Teams as nodes: what their services store, and what flows between them. A service of two teams is at both. */
export function byTeam(graph: MapGraph, selection: Selection, context: ViewContext): api.MapTeamsView {
  const teamsOf = (service: string): readonly (string | null)[] => {
    const claims = graph.services.get(service)?.claims ?? [];
    return claims.length === 0 ? [null] : claims.map(({ team }) => team);
  };
  const categories = (dataTypes: readonly string[]) =>
    distinct(dataTypes.flatMap((dataType) => context.categoryOf(dataType) ?? []));
  const places = [...selection.services].flatMap((service) =>
    teamsOf(service).map((team) => ({ service, team })),
  );
  const storesOf = Map.groupBy(selection.stores, ({ declaration }) => declaration.team);
  const items = [...Map.groupBy(places, ({ team }) => team)].map(([team, own]) => {
    const stored = team === null ? [] : (storesOf.get(team) ?? []);
    const stores = distinct(stored.map(({ declaration }) => declaration.dataType));
    return {
      team,
      services: distinct(own.map(({ service }) => service)),
      stores,
      categories: categories(stores),
    };
  });
  const moves = selection.flows.flatMap(({ declaration: { service, toService, dataType } }) =>
    teamsOf(service).flatMap((from) =>
      teamsOf(toService)
        .filter((to) => to !== from)
        .map((to) => ({ from, to, dataType, flow: JSON.stringify([service, toService, dataType]) })),
    ),
  );
  const flows = [...Map.groupBy(moves, ({ from, to }) => JSON.stringify([from, to])).values()].flatMap(
    (moved) => {
      const [first] = moved;
      if (first === undefined) return [];
      const dataTypes = distinct(moved.map(({ dataType }) => dataType));
      return {
        from_team: first.from,
        to_team: first.to,
        data_types: dataTypes,
        categories: categories(dataTypes),
        flows: new Set(moved.map(({ flow }) => flow)).size,
      };
    },
  );
  return {
    items: items.sort((a, b) => compareTeams(a.team, b.team)),
    flows: flows.sort((a, b) => compareTeams(a.from_team, b.from_team) || compareTeams(a.to_team, b.to_team)),
  };
}

/** By name; services without a team last. */
function compareTeams(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
