import { addAge } from '../add-age.ts';
import type { Scope } from '../connector.ts';
import type { ObjectCollection } from './compile-objects.ts';
import { type KeyFilter, keysOf, keysOfPerson } from './key-filter.ts';
import type { ObjectStore, StoreRules } from './object-store.ts';
import { alsoStays, endsAfter, type Stays } from './tally.ts';

/**
 * Aborts what was begun to be written to a collection's objects so long ago that nobody will finish it, such as what a crash left. What is
 * younger may be somebody's work: it stays, and is told. Nobody can read it, so nobody can tell whose it is.
 */
export async function abortUploads(
  collection: ObjectCollection,
  scope: Pick<Scope, 'identities' | 'signal'>,
  { store, rules, now }: { readonly store: ObjectStore; readonly rules: StoreRules; readonly now: Date },
): Promise<Stays> {
  const { patterns, rows, abortUploadsAfter } = collection;
  const filter: KeyFilter | undefined =
    rows === undefined ? keysOfPerson(patterns, collection, scope.identities) : keysOf(patterns);
  let stays: Stays = { count: 0, until: null };
  for (const prefix of filter?.prefixes ?? [])
    for await (const upload of store.uploads(prefix, scope.signal)) {
      if (filter?.fits(upload.key) !== true) continue;
      if (addAge(upload.begunAt, abortUploadsAfter) <= now) {
        await store.abort(upload, scope.signal);
        continue;
      }
      stays = alsoStays(stays, { count: 1, until: endsAfter(upload.begunAt, rules.uploadDays(upload.key)) });
    }
  return stays;
}
