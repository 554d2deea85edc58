import type { Identity } from '../../catalog/index.ts';
import type { LocatedScope, Residual, Scope } from '../connector.ts';
import { cleanMark, type KnownClean } from '../known-clean.ts';
import { abortUploads } from './abort-uploads.ts';
import type { ObjectCollection, RowCollection } from './compile-objects.ts';
import { type EraseOptions, eraseKey, eraseRows } from './erase-object.ts';
import { inParallel } from './in-parallel.ts';
import { keysOf, keysOfPerson } from './key-filter.ts';
import {
  type LocatedRows,
  markOf,
  readKeys,
  type readLocatedRows,
  type StoredObjects,
} from './object-keys.ts';
import type { ObjectStore, ObjectVersion } from './object-store.ts';
import { readRowCounts, withVersion } from './read-version.ts';
import { refuseTables } from './refuse-tables.ts';
import { createRowSearch } from './row-search.ts';
import { soughtRows, soughtText } from './sought-rows.ts';
import { alsoStays, isFound, newTally, type Stays, type Tally } from './tally.ts';

const OBJECTS_AT_ONCE = 4;

export interface PassOptions {
  readonly store: ObjectStore;
  readonly collections: readonly ObjectCollection[];
  readonly now: Date;
  readonly signal: AbortSignal;
  /** What passes before this one read and found nothing in. */
  readonly known: KnownClean;
}

type WithRows = ObjectCollection & { readonly rows: RowCollection };

/** The keys of each person's objects, by collection: one pass over the rows of a collection for all of them. */
export async function locateObjects(
  people: readonly Pick<Scope, 'identities'>[],
  pass: PassOptions,
): Promise<readonly ReadonlyMap<string, ReadonlyMap<string, readonly LocatedRows[]>>[]> {
  const { store, collections, signal } = pass;
  const found = people.map(() => new Map<string, Map<string, LocatedRows[]>>());
  const add = (who: number, name: string, key: string): LocatedRows[] => {
    const own = found[who]?.get(name) ?? new Map<string, LocatedRows[]>();
    found[who]?.set(name, own);
    const versions = own.get(key) ?? [];
    own.set(key, versions);
    return versions;
  };
  for (const collection of collections) {
    const { name } = collection;
    if (collection.keep !== undefined) continue;
    if (hasRows(collection)) {
      await eachVersion(collection, people, pass, async (version, of) => {
        const { key, mark, isLatest } = version;
        for (const [who, rows] of of) add(who, name, key).push({ mark, rows, isLatest });
      });
      continue;
    }
    for (const [who, { identities }] of people.entries())
      for await (const key of objectsOf(store, collection, identities, signal)) add(who, name, key);
  }
  return found;
}

/** The keys of whole objects that are a person's, each once. */
export async function* objectsOf(
  store: ObjectStore,
  collection: ObjectCollection,
  identities: readonly Identity[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const filter = keysOfPerson(collection.patterns, collection, identities);
  const seen = new Set<string>();
  for (const prefix of filter?.prefixes ?? [])
    for await (const { key } of store.versions(prefix, signal)) {
      if (seen.has(key) || filter?.fits(key) !== true) continue;
      seen.add(key);
      yield key;
    }
}

interface Version {
  readonly key: string;
  readonly mark: string;
  readonly isLatest: boolean;
  /** What holds it; a lock that lets what is latest be replaced does not hold that. */
  readonly lock: () => Promise<Stays | undefined>;
}

/** Each version that has rows of one of the people, with how many are whose. Archives cannot be read, and are left out. */
async function eachVersion(
  collection: WithRows,
  people: readonly Pick<Scope, 'identities'>[],
  { store, signal, known, now }: Omit<PassOptions, 'collections'>,
  act: (version: Version, of: ReadonlyMap<number, number>) => Promise<void>,
): Promise<void> {
  const { rows, patterns, name } = collection;
  const sought = people.map(({ identities }, who) => soughtRows(groupsIn(collection), identities, who));
  if (sought.every(({ length }) => length === 0)) return;
  const search = createRowSearch(sought.flat());
  const clean = known.begin(
    sought.map((rows) => soughtText(name, rows)),
    now,
  );
  const { prefixes, fits } = keysOf(patterns);
  await refuseTables(store, { collection: name, prefixes, signal });
  for (const prefix of prefixes)
    await inParallel(store.versions(prefix, signal), OBJECTS_AT_ONCE, async (version) => {
      if (version.isMarker || version.isArchived || !fits(version.key)) return;
      signal.throwIfAborted();
      if (clean.isClean(contentOf(version))) return;
      const { of, read } = await readRowCounts(version, { store, rows, search, signal });
      if (read !== undefined) clean.note(contentOf(read), of);
      if (of.size === 0) return;
      const lock = async (): Promise<Stays | undefined> => {
        const held = await withVersion(store, version, signal, (one) => store.lockOf(one, signal));
        return held === undefined || (version.isLatest && !held.holdsLatest)
          ? undefined
          : { count: 1, until: held.until };
      };
      await act({ key: version.key, mark: markOf(version), isLatest: version.isLatest, lock }, of);
    });
}

function contentOf({ key, id, etag, size }: ObjectVersion): string {
  return cleanMark([key, id, etag, size]);
}

/** Someone whose stored objects are erased. */
export interface ErasedPerson extends Pick<Scope, 'identities'> {
  readonly stored: ReadonlyMap<string, StoredObjects>;
  /** Where no attempt was ever answered: what was found, by collection and key. What is gone of it counts as erased. */
  readonly located?: Awaited<ReturnType<typeof readLocatedRows>>;
}

/** What became of a person's objects. */
export interface ErasedObjects {
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Copies that the store itself makes. */
  readonly copies: readonly Residual[];
}

/**
 * Erases each person's stored objects, and counts what became of them by collection: each object is written once for all people, and
 * what the store says of itself is asked once.
 */
export async function eraseObjects(
  people: readonly ErasedPerson[],
  mode: 'erase' | 'dry-run',
  { store, collections, now, signal }: Omit<PassOptions, 'known'>,
): Promise<readonly ErasedObjects[]> {
  const tallies = people.map(() => new Map<string, Tally>());
  const rules = await store.rules(signal);
  for (const collection of collections) {
    const { name } = collection;
    const tally = (who: number): Tally => {
      const own = tallies[who]?.get(name) ?? newTally();
      tallies[who]?.set(name, own);
      return own;
    };
    if (collection.keep !== undefined) continue;
    if (hasRows(collection)) {
      const asked = [...people.keys()].filter((who) => {
        const { identities = [] } = people[who] ?? {};
        return soughtRows(groupsIn(collection), identities, who).length > 0;
      });
      const archived = asked.length === 0 ? 0 : await countArchived(collection, { store, signal });
      if (archived > 0) for (const who of asked) tally(who).archived = archived;
    }
    const options: EraseOptions = { store, collection, rules, mode, now, signal };
    const keys = new Map<string, number[]>();
    for (const [who, { stored }] of people.entries())
      for (const key of stored.get(name)?.keys() ?? []) keys.set(key, [...(keys.get(key) ?? []), who]);
    if (keys.size === 0) continue;
    if (hasRows(collection))
      await refuseTables(store, { collection: name, prefixes: keysOf(collection.patterns).prefixes, signal });
    await inParallel(keys, OBJECTS_AT_ONCE, async ([key, whose]) => {
      signal.throwIfAborted();
      if (!hasRows(collection)) {
        for (const who of whose)
          await eraseKey(key, { ...options, countsGone: people[who]?.located !== undefined }, tally(who));
        return;
      }
      const sought = whose.flatMap((who) =>
        soughtRows(groupsIn(collection), people[who]?.stored.get(name)?.get(key) ?? [], who),
      );
      if (sought.length === 0) return;
      const search = createRowSearch(sought);
      const located = (who: number) => people[who]?.located?.get(name)?.get(key) ?? [];
      await eraseRows(key, { ...options, rows: collection.rows, search, tally, located, whose });
    });
    if (mode === 'dry-run') continue;
    const found = [...people.keys()].filter((who) => isFound(tally(who)));
    if (hasRows(collection)) {
      if (found.length === 0) continue;
      const uploads = await abortUploads(collection, { identities: [], signal }, { store, rules, now });
      for (const who of found) tally(who).uploads = uploads;
      continue;
    }
    for (const who of found) {
      const { identities = [] } = people[who] ?? {};
      tally(who).uploads = await abortUploads(collection, { identities, signal }, { store, rules, now });
    }
  }
  return tallies.map((own) => ({ tallies: own, copies: rules.copies }));
}

/** How many versions lie in an archive, where nobody can tell whose rows are in them. */
async function countArchived(
  { patterns }: WithRows,
  { store, signal }: Pick<PassOptions, 'store' | 'signal'>,
): Promise<number> {
  const { prefixes, fits } = keysOf(patterns);
  let count = 0;
  for (const prefix of prefixes)
    for await (const { key, isArchived, isMarker } of store.versions(prefix, signal))
      if (isArchived && !isMarker && fits(key)) count += 1;
  return count;
}

/** What can still be read of a person in one collection. */
export interface Readable {
  readonly remaining: number;
  readonly locked: Stays;
}

/** Reads everything again, for all people in one pass. */
export async function verifyObjects(
  people: readonly {
    readonly identities: readonly Identity[];
    readonly stored: ReadonlyMap<string, StoredObjects>;
  }[],
  pass: PassOptions,
): Promise<readonly ReadonlyMap<string, Readable>[]> {
  const { store, collections, signal } = pass;
  const readable = people.map(() => new Map<string, Readable>());
  for (const collection of collections) {
    const { name } = collection;
    if (collection.keep !== undefined) continue;
    const add = (who: number, count: number, lock: Stays | undefined) => {
      const { remaining, locked } = readable[who]?.get(name) ?? {
        remaining: 0,
        locked: { count: 0, until: null },
      };
      readable[who]?.set(
        name,
        lock === undefined
          ? { remaining: remaining + count, locked }
          : { remaining, locked: alsoStays(locked, { count, until: lock.until }) },
      );
    };
    for (const who of people.keys()) add(who, 0, undefined);
    const everyone = people.map(({ identities, stored }) => ({
      identities: [...identities, ...[...(stored.get(name)?.values() ?? [])].flat()],
    }));
    if (hasRows(collection)) {
      await eachVersion(collection, unique(everyone), pass, async ({ isLatest, lock }, of) => {
        if (!isLatest && collection.oldVersions === 'expire') return;
        const held = await lock();
        for (const [who, count] of of) add(who, count, held);
      });
      continue;
    }
    for (const [who, { identities, stored }] of people.entries()) {
      const keys = new Set(stored.get(name)?.keys() ?? []);
      for await (const key of objectsOf(store, collection, identities, signal)) keys.add(key);
      for (const key of keys) {
        const tally = newTally();
        await eraseKey(key, { store, mode: 'dry-run', countsGone: false, signal }, tally);
        if (tally.done > 0) add(who, tally.done, undefined);
        if (tally.locked.count > 0) add(who, 1, tally.locked);
      }
    }
  }
  return readable;
}

function unique(people: readonly Pick<Scope, 'identities'>[]): readonly Pick<Scope, 'identities'>[] {
  return people.map(({ identities }) => ({
    identities: [...new Map(identities.map((one) => [JSON.stringify([one.type, one.value]), one])).values()],
  }));
}

function groupsIn({ name, rows }: WithRows) {
  return { name, groups: rows.groups };
}

export function hasRows(collection: ObjectCollection): collection is WithRows {
  return collection.rows !== undefined;
}

/** The stored keys of a scope. */
export function storedOf(scope: LocatedScope): Promise<ReadonlyMap<string, StoredObjects>> {
  return readKeys(scope.keys(), scope.signal);
}
