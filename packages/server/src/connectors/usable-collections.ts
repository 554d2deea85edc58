import { HabeasError } from '../foundation/index.ts';

/** What the datasets of a connection come to. */
export interface Compiled<Collection> {
  readonly collections: readonly Collection[];
  /** What has to be corrected before anything is done, one sentence each. */
  readonly problems: readonly string[];
}

/** The collections of a connection. Throws SCHEMA_MISMATCH where something in the datasets has to be corrected first. */
export function usableCollections<Collection>(
  key: string,
  { collections, problems }: Compiled<Collection>,
): readonly Collection[] {
  if (problems.length === 0) return collections;
  throw new HabeasError(
    'SCHEMA_MISMATCH',
    `The datasets of ${key} do not fit; nothing was run. ${problems.join(' ')}`,
    { details: problems },
  );
}
