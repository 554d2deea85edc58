/** A type and a value that point at a person. Types are `email`, `phone_number`, `user_id`, or what a dataset names. */
export interface Identity {
  readonly type: string;
  readonly value: string;
}

/**
 * Whether values of the type name things in a store rather than a person: the types that references between connections make, as
 * `dataset.collection.field`. Only the stores that refer to them are told.
 */
export function namesThings(type: string): boolean {
  return type.split('.').length > 2;
}

/** More values than this of one type are not believed: a person has a handful of identities, and may own thousands of things. */
export function mostValues(type: string): number {
  return namesThings(type) ? 20_000 : 1_000;
}
