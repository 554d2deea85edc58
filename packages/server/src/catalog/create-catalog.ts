import type { api } from '@habeas/contract';
import type { DataMap } from '../map/index.ts';
import { type CataloguedSystem, catalogEntries } from './catalog-entries.ts';
import { isWithinCategory } from './data-categories.ts';

export interface CatalogQuery extends api.CatalogFilter {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Which fields of which systems hold what, from the datasets of the configuration and the data map. No value of anybody is in it. */
export interface Catalog {
  /** A page in the order of ids. Of a caller that has teams, only what those own. */
  list(query: CatalogQuery, teams: readonly string[] | null): Promise<api.CatalogPage>;
}

export interface CreateCatalogOptions {
  readonly systems: readonly CataloguedSystem[];
  readonly map: Pick<DataMap, 'map'>;
}

export function createCatalog({ systems, map }: CreateCatalogOptions): Catalog {
  return {
    async list({ cursor, limit, ...filter }, teams) {
      const { stores } = await map.map();
      const all = catalogEntries(systems, stores).filter(
        ({ team }) => teams === null || teams.includes(team),
      );
      const left = all.filter((entry) => isWanted(entry, filter));
      const rest = cursor === undefined ? left : left.filter(({ id }) => id > cursor);
      const items = rest.slice(0, limit);
      return {
        items: [...items],
        next: rest.length > limit ? (items.at(-1)?.id ?? null) : null,
        total: left.length,
        choices: choicesOf(all),
      };
    },
  };
}

function isWanted(entry: api.CatalogEntryView, filter: api.CatalogFilter): boolean {
  const { team, system, service, data_type: type, category } = filter;
  return (
    (team === undefined || entry.team === team) &&
    (system === undefined || entry.system === system) &&
    (service === undefined || entry.service === service) &&
    (type === undefined || entry.data_types.includes(type)) &&
    (category === undefined || entry.categories.some((one) => isWithinCategory(one, category)))
  );
}

function choicesOf(all: readonly api.CatalogEntryView[]): api.CatalogPage['choices'] {
  const distinct = (read: (entry: api.CatalogEntryView) => string | readonly string[]) =>
    [...new Set(all.flatMap(read))].toSorted();
  return {
    teams: distinct(({ team }) => team),
    systems: distinct(({ system }) => system),
    services: distinct(({ service }) => service),
    data_types: distinct(({ data_types: types }) => types),
    categories: distinct(({ categories }) => categories),
  };
}
