import type { api } from '@habeas/contract';
import { isWithinCategory } from './data-categories.ts';
import type { Dataset } from './dataset.ts';

/** A configured system with what its datasets say. */
export interface CataloguedSystem {
  readonly key: string;
  readonly kind: string;
  readonly service: string;
  readonly team: string;
  readonly datasets: readonly Dataset[];
}

/**
 * Every field of every dataset, with what its service says of data of that category; and every data type that a service says it
 * stores and no field is. In the order of their ids. Pure; linear in fields times data types of their service.
 */
export function catalogEntries(
  systems: readonly CataloguedSystem[],
  stores: readonly api.StoreView[],
): readonly api.CatalogEntryView[] {
  const storesOf = Map.groupBy(stores, ({ service }) => service);
  const placed = new Set<api.StoreView>();
  const fields = systems.flatMap((system) => {
    const said = storesOf.get(system.service) ?? [];
    return fieldsOf(system).map(({ dataset, collection, field }): api.CatalogEntryView => {
      const about = said.filter((store) =>
        field.categories.some((category) => fits(category, store.category)),
      );
      for (const store of about) placed.add(store);
      return {
        id: JSON.stringify([system.key, dataset.key, collection.name, field.name]),
        kind: 'field',
        system: system.key,
        connection_kind: system.kind,
        service: system.service,
        team: system.team,
        dataset: dataset.key,
        collection: collection.name,
        field: field.name,
        categories: [...field.categories],
        identity: field.identity?.type ?? null,
        source: field.source,
        ...sayingOf(about),
      };
    });
  });
  const keyOf = new Map(systems.map(({ service, key }) => [service, key]));
  const kindOf = new Map(systems.map(({ service, kind }) => [service, kind]));
  const unplaced = stores.filter((store) => !placed.has(store));
  const types = Map.groupBy(unplaced, ({ service, team, data_type: type }) =>
    JSON.stringify([service, team, type]),
  );
  const others = [...types].flatMap(([id, said]): readonly api.CatalogEntryView[] => {
    const [store] = said;
    if (store === undefined) return [];
    return [
      {
        id,
        kind: 'store',
        system: keyOf.get(store.service) ?? store.service,
        connection_kind: kindOf.get(store.service) ?? null,
        service: store.service,
        team: store.team,
        dataset: null,
        collection: null,
        field: null,
        categories: store.category === null ? [] : [store.category],
        identity: null,
        source: null,
        ...sayingOf(said),
      },
    ];
  });
  return [...fields, ...others].toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

function fieldsOf({ datasets }: CataloguedSystem) {
  return datasets.flatMap((dataset) =>
    dataset.collections.flatMap((collection) =>
      collection.fields.map((field) => ({ dataset, collection, field })),
    ),
  );
}

/** One of them is the other, or lies below it: a field `user.contact.email` is of the data type that is `user.contact`. */
function fits(category: string, other: string | null): boolean {
  return other !== null && (isWithinCategory(category, other) || isWithinCategory(other, category));
}

function sayingOf(said: readonly api.StoreView[]) {
  const distinct = (words: readonly (string | null)[]) =>
    [...new Set(words.filter((word) => word !== null))].toSorted();
  return {
    data_types: distinct(said.map(({ data_type: type }) => type)),
    purposes: distinct(said.map(({ purpose }) => purpose)),
    retention: distinct(said.map(({ retention }) => retention)),
    last_seen:
      said
        .map(({ last_seen: at }) => at)
        .toSorted()
        .at(-1) ?? null,
  };
}
