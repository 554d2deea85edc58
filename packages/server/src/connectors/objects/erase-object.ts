import type { ObjectCollection, RowCollection } from './compile-objects.ts';
import { type LocatedRows, markOf } from './object-keys.ts';
import {
  type Lock,
  ObjectMoved,
  type ObjectStore,
  type ObjectVersion,
  type StoreRules,
} from './object-store.ts';
import { countRows, hasNoRows, latestOf, movedTooOften, withVersion } from './read-version.ts';
import type { Rewritten } from './row-format.ts';
import type { RowSearch } from './row-search.ts';
import { addTally, alsoStays, endsAfter, newTally, type Stays, type Tally } from './tally.ts';

export interface EraseOptions {
  readonly store: ObjectStore;
  readonly collection: Pick<ObjectCollection, 'oldVersions'>;
  readonly rules: StoreRules;
  readonly mode: 'erase' | 'dry-run';
  readonly now: Date;
  readonly signal: AbortSignal;
}

export interface EraseRowsOptions extends EraseOptions {
  readonly rows: RowCollection;
  readonly search: RowSearch;
  /** Of each person. */
  readonly tally: (who: number) => Tally;
  /** Whose rows they may be. */
  readonly whose: readonly number[];
  /** What was found of each person, where what is gone of it counts as erased; empty: it does not. */
  readonly located: (who: number) => readonly LocatedRows[];
}

const TRIES = 4;

/**
 * Erases people's rows from all versions of one key. The latest version is written anew first, and takes its place only if nobody replaced
 * it; then every older one that holds their rows goes, what was the latest until now among them. A crash between both leaves a version
 * that the next try finds by its rows: it needs to remember nothing. What lies in an archive is left.
 *
 *     v3 (latest)  ann bob        v4 (latest)  bob          v4 (latest)  bob
 *     v2           ann      ──▶   v3           ann bob ──▶
 *     v1           bob            v2           ann          v1           bob
 *                                 v1           bob
 */
export async function eraseRows(key: string, options: EraseRowsOptions): Promise<void> {
  const tallies = new Map<number, Tally>();
  const tally = (who: number): Tally => {
    const own = tallies.get(who) ?? newTally();
    tallies.set(who, own);
    return own;
  };
  const former = new Map<number, number>();
  const noteFormer = (who: number, rows: number) => former.set(who, (former.get(who) ?? 0) + rows);
  await eraseVersions(key, { ...options, tally, noteFormer });
  for (const who of options.whose) {
    const { done, locked, left } = tally(who);
    const located = options.mode === 'erase' ? options.located(who) : [];
    const found = located.reduce((sum, { rows }) => sum + rows, 0);
    // Rows that are gone were erased by an attempt whose answer was lost, and those of the version that was the latest then, too.
    const erased = found - (locked.count + left.count - (former.get(who) ?? 0));
    addTally(options.tally(who), { done: Math.max(done, erased), locked, left });
  }
}

interface EraseVersionsOptions extends EraseRowsOptions {
  /** Hears of rows that stay in what was the latest version when it was located. */
  readonly noteFormer: (who: number, rows: number) => void;
}

async function eraseVersions(key: string, options: EraseVersionsOptions): Promise<void> {
  const { store, signal } = options;
  let versions = (await store.versionsOf(key, signal)).filter(({ isMarker }) => !isMarker);
  const latest = latestOf(versions);
  if (latest !== undefined) {
    const lock = await withVersion(store, latest, signal, (one) => store.lockOf(one, signal));
    if (lock?.holdsLatest === true) await noteLocked(latest, lock, options);
    else {
      const written = await eraseLatest(latest, options);
      for (const [who, count] of written?.of ?? []) options.tally(who).done += count;
    }
    if (options.mode === 'erase')
      versions = (await store.versionsOf(key, signal)).filter((one) => !one.isMarker && !one.isLatest);
    else versions = versions.filter((one) => one !== latest);
  }
  // Newest first, so that what people are shown last is gone first.
  versions = versions.toSorted((one, other) => other.modifiedAt.getTime() - one.modifiedAt.getTime());
  for (const [at, version] of versions.entries()) {
    signal.throwIfAborted();
    const since = versions[at - 1]?.modifiedAt ?? options.now;
    await eraseOld(version, options, { since, isRewritten: version.id === latest?.id });
  }
}

async function noteLocked(version: ObjectVersion, lock: Lock, options: EraseRowsOptions): Promise<void> {
  const of = version.isArchived ? new Map<number, number>() : await countRows(version, options);
  for (const [who, count] of of) {
    const own = options.tally(who);
    own.locked = alsoStays(own.locked, { count, until: lock.until });
  }
}

/** Writes the latest version anew without their rows. */
async function eraseLatest(
  version: ObjectVersion,
  options: EraseRowsOptions,
): Promise<Rewritten | undefined> {
  const { store, rows, search, signal, mode } = options;
  let current: ObjectVersion | undefined = version;
  for (let turn = 0; turn < TRIES && current !== undefined; turn += 1) {
    if (current.isArchived || hasNoRows(current)) return undefined;
    if (mode === 'dry-run') {
      const of = await countRows(current, { store, rows, search, signal });
      return { rows: of.size, of };
    }
    try {
      let written: Rewritten | undefined;
      const source = current;
      await store.replace(
        source,
        async (sink) => {
          const file = await rows.format.open(store.open(source, signal), { search, signal });
          written = await file.rewrite(rows.change, sink);
        },
        signal,
      );
      return written;
    } catch (error) {
      if (!(error instanceof ObjectMoved)) throw error;
      current = latestOf(await store.versionsOf(version.key, signal));
    }
  }
  if (current === undefined) return undefined;
  throw movedTooOften();
}

/** Deletes an older version if it holds their rows. What was written anew just now is not counted twice. */
async function eraseOld(
  version: ObjectVersion,
  options: EraseVersionsOptions,
  { since, isRewritten }: { readonly since: Date; readonly isRewritten: boolean },
): Promise<void> {
  const { store, rows, search, signal, collection, tally, located, noteFormer } = options;
  if (version.isArchived) return;
  const of = await countRows(version, { store, rows, search, signal });
  if (of.size === 0) return;
  const note = (what: 'locked' | 'left', stays: (count: number) => Stays) => {
    for (const [who, count] of of) {
      const own = tally(who);
      own[what] = alsoStays(own[what], stays(count));
      const wasLatest = located(who).some(({ mark, isLatest }) => isLatest && mark === markOf(version));
      if (wasLatest) noteFormer(who, count);
    }
  };
  const lock = await withVersion(store, version, signal, (one) => store.lockOf(one, signal));
  if (lock !== undefined) note('locked', (count) => ({ count, until: lock.until }));
  else if (collection.oldVersions === 'expire') {
    const until = endsAfter(since, options.rules.oldVersionDays(version.key));
    note('left', (count) => ({ count, until }));
  } else {
    if (options.mode === 'erase') await store.remove(version, signal);
    if (!isRewritten) for (const [who, count] of of) tally(who).done += count;
  }
}

/** Removes all versions of a key that names a person, its delete markers too. */
export async function eraseKey(
  key: string,
  options: Pick<EraseOptions, 'store' | 'signal' | 'mode'> & {
    /** Whether an object that is gone was removed by an attempt whose answer was lost. */
    readonly countsGone: boolean;
  },
  tally: Tally,
): Promise<void> {
  const { store, signal, mode } = options;
  const versions = await store.versionsOf(key, signal);
  let locked: Stays = { count: 0, until: null };
  // The latest goes last: who asks for the key meanwhile is not shown an older one.
  for (const version of versions.toSorted((one, other) => Number(one.isLatest) - Number(other.isLatest))) {
    signal.throwIfAborted();
    const lock = await withVersion(store, version, signal, (one) => store.lockOf(one, signal));
    if (lock !== undefined) locked = { ...alsoStays(locked, { count: 1, until: lock.until }), count: 1 };
    else if (mode === 'erase') await store.remove(version, signal);
  }
  if (locked.count > 0) tally.locked = alsoStays(tally.locked, locked);
  else if (versions.length > 0 || (options.countsGone && mode === 'erase')) tally.done += 1;
}
