import type { Collection, Dataset, Field, Identification, Reference } from './dataset.ts';

/** What a field identifies because of a reference between two connections. Frozen with a plan. */
export interface Link {
  readonly collection: string;
  readonly field: string;
  readonly identity: Identification;
}

/** The datasets of a connection, with the references to and from other connections as identities. */
export interface LinkedDatasets {
  readonly datasets: readonly Dataset[];
  readonly links: readonly Link[];
  /** Connections whose rows name what is here, such as the database whose rows name files. */
  readonly foundThrough: ReadonlySet<string>;
  /** Connections that what is here was made from, or that it is erased after for another reason. */
  readonly madeFrom: ReadonlySet<string>;
}

interface Open {
  readonly datasets: readonly Dataset[];
  readonly links: Map<string, Link>;
  readonly foundThrough: Set<string>;
  readonly madeFrom: Set<string>;
}

/** A field of a dataset, and the connection that has it. */
interface Place {
  readonly connection: string;
  readonly collection: Collection;
  readonly field: Field;
}

/**
 * Makes references between connections into identities: the field that others are found through tells its values, and the field
 * that refers to it finds by them. Where neither has an identity, both get the type `dataset.collection.field` of the field that
 * is referred to. A reference that leads nowhere, to a dataset that two connections have, or between fields that identify by
 * different types stays as it is, and {@link buildDatasetGraph} reports it. Pure; linear in fields and references.
 */
export function linkConnections(
  given: ReadonlyMap<string, readonly Dataset[]>,
): ReadonlyMap<string, LinkedDatasets> {
  const owners = ownersOf(given);
  const open = new Map<string, Open>();
  for (const [key, datasets] of given)
    open.set(key, { datasets, links: new Map(), foundThrough: new Set(), madeFrom: new Set() });
  const followed = new Set<Reference>();
  for (const [connection, own] of open) {
    for (const dataset of own.datasets) {
      for (const collection of dataset.collections) {
        for (const name of [...collection.derivedFrom, ...collection.eraseAfter]) {
          const owner = owners.get(datasetOf(name, owners) ?? '');
          if (owner !== undefined && owner !== connection) own.madeFrom.add(owner);
        }
        for (const reference of collection.references) {
          const owner = owners.get(reference.dataset);
          if (owner === undefined || owner === connection) continue;
          const field = collection.fields.find(({ name }) => name === reference.columns[0]);
          const target = placeOf(reference, owner, open);
          if (field === undefined || target === undefined) continue;
          if (join({ connection, collection, field }, target, { reference, open })) followed.add(reference);
        }
      }
    }
  }
  return new Map(
    [...open].map(([key, { datasets, links, foundThrough, madeFrom }]) => {
      const all = [...links.values()];
      return [key, { datasets: withLinks(datasets, all, followed), links: all, foundThrough, madeFrom }];
    }),
  );
}

/** The datasets with these identities. References to other connections that the identities stand for are gone. */
export function applyLinks(datasets: readonly Dataset[], links: readonly Link[]): readonly Dataset[] {
  if (links.length === 0) return datasets;
  const own = new Set(datasets.map(({ key }) => key));
  const linked = new Set(links.map(nameOf));
  const followed = datasets.flatMap(({ collections }) =>
    collections.flatMap(({ name, references }) =>
      references.filter(
        ({ dataset, columns }) =>
          !own.has(dataset) && linked.has(nameOf({ collection: name, field: columns[0] ?? '' })),
      ),
    ),
  );
  return withLinks(datasets, links, new Set(followed));
}

function withLinks(
  datasets: readonly Dataset[],
  links: readonly Link[],
  followed: ReadonlySet<Reference>,
): readonly Dataset[] {
  const identities = new Map(links.map((link) => [nameOf(link), link.identity]));
  return datasets.map((dataset) => ({
    ...dataset,
    collections: dataset.collections.map((collection) => ({
      ...collection,
      references: collection.references.filter((reference) => !followed.has(reference)),
      fields: collection.fields.map((field) => {
        const identity = identities.get(nameOf({ collection: collection.name, field: field.name }));
        return identity === undefined ? field : { ...field, identity };
      }),
    })),
  }));
}

/** Dataset → the one connection that has it. */
function ownersOf(given: ReadonlyMap<string, readonly Dataset[]>): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const twice = new Set<string>();
  for (const [connection, datasets] of given) {
    for (const { key } of datasets) {
      if (owners.has(key) && owners.get(key) !== connection) twice.add(key);
      owners.set(key, connection);
    }
  }
  for (const key of twice) owners.delete(key);
  return owners;
}

/** `shop` and `shop.orders` both name the dataset shop. */
function datasetOf(name: string, owners: ReadonlyMap<string, string>): string | undefined {
  if (owners.has(name)) return name;
  const dot = name.lastIndexOf('.');
  return dot < 0 ? undefined : datasetOf(name.slice(0, dot), owners);
}

function placeOf(
  reference: Reference,
  connection: string,
  open: ReadonlyMap<string, Open>,
): Place | undefined {
  const dataset = open.get(connection)?.datasets.find(({ key }) => key === reference.dataset);
  const collection = dataset?.collections.find(({ name }) => name === reference.target);
  const field = collection?.fields.find(({ name }) => name === reference.targetColumns[0]);
  return collection === undefined || field === undefined ? undefined : { connection, collection, field };
}

/** Gives both fields one identity. Returns whether they can have one. */
function join(
  holder: Place,
  target: Place,
  { reference, open }: { readonly reference: Reference; readonly open: ReadonlyMap<string, Open> },
): boolean {
  const ofTarget = identityOf(target, open);
  const ofHolder = identityOf(holder, open);
  const common = ofTarget ?? ofHolder;
  const type = common?.type ?? `${reference.dataset}.${target.collection.name}.${target.field.name}`;
  if (ofHolder !== undefined && ofHolder.type !== type) return false;
  const match = common?.match ?? 'exact';
  const spelling = common?.spelling === undefined ? {} : { spelling: common.spelling };
  const { direction } = reference;
  const set = (place: Place, known: Identification | undefined, resolves: boolean) =>
    open.get(place.connection)?.links.set(nameOf({ ...place, collection: place.collection.name }), {
      collection: place.collection.name,
      field: place.field.name,
      identity: { type, match, ...spelling, resolves: resolves || known?.resolves === true },
    });
  set(target, ofTarget, direction !== 'to');
  set(holder, ofHolder, direction !== 'from');
  const [found, through] = direction === 'to' ? [target, holder] : [holder, target];
  open.get(found.connection)?.foundThrough.add(through.connection);
  return true;
}

/** What the field identifies by what is known so far. */
function identityOf(place: Place, open: ReadonlyMap<string, Open>): Identification | undefined {
  const links = open.get(place.connection)?.links;
  return (
    links?.get(nameOf({ ...place, collection: place.collection.name }))?.identity ?? place.field.identity
  );
}

function nameOf(place: { readonly collection: string; readonly field: string | Field }): string {
  const field = typeof place.field === 'string' ? place.field : place.field.name;
  return JSON.stringify([place.collection, field]);
}
