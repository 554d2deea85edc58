import type { Dataset, Lifetime } from '../../catalog/index.ts';
import type { Compiled } from '../usable-collections.ts';

/** What says which place of a store a collection is, by kind. */
export type PlaceKey = 'keys' | 'queue' | 'stream';

/** A collection whose things end by themselves. */
export interface LifetimeCollection {
  readonly name: string;
  /** The queue or the stream; what keys begin with. */
  readonly place: string;
  /** What is declared, in milliseconds; undefined: what the store says. */
  readonly maxAge: number | undefined;
}

/** Reads what the datasets declare. */
export function compileLifetimes(
  datasets: readonly Dataset[],
  { key, isRequired }: { readonly key: PlaceKey; readonly isRequired: boolean },
): Compiled<LifetimeCollection> {
  const problems: string[] = [];
  const collections = datasets
    .flatMap((dataset) => dataset.collections)
    .filter(({ skip }) => !skip)
    .flatMap(({ name, lifetime, fields }): readonly LifetimeCollection[] => {
      if (lifetime === undefined) {
        problems.push(
          `The collection "${name}" does not say how long its data lives: give it \`habeas: { lifetime: { max_age: … } }\`.`,
        );
        return [];
      }
      const strange = placesIn(lifetime).find((one) => one !== key);
      if (strange !== undefined)
        problems.push(`\`${strange}\` of "${name}" is not for this kind of store, which has \`${key}\`.`);
      if (isRequired && lifetime.maxAge === undefined)
        problems.push(`"${name}" has to say \`max_age\`: the store has no setting that could tell it.`);
      const identity = fields.find((field) => field.identity !== undefined);
      if (identity !== undefined)
        problems.push(
          `Nobody can be looked for in "${name}": leave the \`identity\` of "${identity.name}" out.`,
        );
      return [{ name, place: lifetime[key] ?? (key === 'keys' ? '' : name), maxAge: lifetime.maxAge }];
    });
  if (collections.length === 0 && problems.length === 0) problems.push('The datasets name no collection.');
  return { collections, problems };
}

function placesIn({ keys, queue, stream }: Lifetime): readonly PlaceKey[] {
  return Object.entries({ keys, queue, stream }).flatMap(([key, value]) =>
    value === undefined ? [] : [key as PlaceKey],
  );
}
