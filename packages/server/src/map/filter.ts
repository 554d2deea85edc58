import type { api } from '@habeas/contract';
import type { FlowSeen, MapGraph, StoreSeen } from './graph.ts';
import type { ViewContext } from './views.ts';

/** What a filter leaves of a map. */
export interface Selection {
  readonly flows: readonly FlowSeen[];
  readonly stores: readonly StoreSeen[];
  /** Services that the filter names and, so that no arrow ends in nothing, those at both ends of each flow. */
  readonly services: ReadonlySet<string>;
}

export type Filter = Omit<api.MapFilter, 'as_of'>;

export function select(graph: MapGraph, filter: Filter, context: ViewContext): Selection {
  if (isEmpty(filter)) {
    return { flows: graph.flows, stores: graph.stores, services: new Set(graph.services.keys()) };
  }
  const ofTeam = (service: string) =>
    graph.services.get(service)?.claims.some(({ team }) => team === filter.team) === true;
  const named = (service: string) =>
    (filter.service === undefined || service === filter.service) &&
    (filter.team === undefined || ofTeam(service));
  const typed = typeFilter(filter, context);
  const placed = (...ends: readonly string[]) =>
    filter.external === undefined || ends.some(context.isExternal) === (filter.external === 'true');
  const stores = graph.stores.filter(
    ({ declaration: { service, team, dataType } }) =>
      named(service) && typed(dataType) && placed(service) && [undefined, team].includes(filter.team),
  );
  const flows = graph.flows.filter(
    ({ declaration: { service, toService, dataType } }) =>
      typed(dataType) && (named(service) || named(toService)) && placed(service, toService),
  );
  const services = new Set(stores.map(({ declaration }) => declaration.service));
  for (const { declaration } of flows) services.add(declaration.service).add(declaration.toService);
  // A filter for data leaves out who has none of it.
  const ofData = filter.data_type !== undefined || filter.category !== undefined;
  if (!ofData) {
    for (const name of graph.services.keys()) if (named(name) && placed(name)) services.add(name);
  }
  return { flows, stores, services };
}

/** Whether a filter leaves everything. */
export function isEmpty(filter: Filter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

/** Whether a filter judges each declaration by its data alone; to know teams, services and what is external takes the map around it. */
export function isByDataAlone({ team, service, external }: Filter): boolean {
  return isEmpty({ team, service, external });
}

/** Which data types a filter leaves. */
export function typeFilter(
  { data_type: wanted, category }: Pick<Filter, 'data_type' | 'category'>,
  { categoryOf }: Pick<ViewContext, 'categoryOf'>,
): (dataType: string) => boolean {
  return (dataType) =>
    (wanted === undefined || dataType === wanted) &&
    (category === undefined || isWithin(categoryOf(dataType), category));
}

/** `user.contact.email` is within `user.contact`; `user.contactless` is not. */
export function isWithin(category: string | undefined, prefix: string): boolean {
  return category !== undefined && (category === prefix || category.startsWith(`${prefix}.`));
}

export function gapFits(gap: api.GapView, filter: Filter, context: ViewContext): boolean {
  return (
    (filter.team === undefined || gap.team === filter.team) &&
    (filter.service === undefined || gap.service === filter.service) &&
    (filter.data_type === undefined || gap.data_type === filter.data_type) &&
    (filter.category === undefined ||
      (gap.data_type !== null && isWithin(context.categoryOf(gap.data_type), filter.category))) &&
    (filter.external === undefined ||
      (gap.service !== null && context.isExternal(gap.service) === (filter.external === 'true')))
  );
}
