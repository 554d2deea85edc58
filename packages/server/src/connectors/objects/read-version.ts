import { HabeasError } from '../../foundation/index.ts';
import type { RowCollection } from './compile-objects.ts';
import { ObjectMoved, type ObjectStore, type ObjectVersion } from './object-store.ts';
import type { FoundRow } from './row-format.ts';
import type { RowSearch } from './row-search.ts';

const TRIES = 4;

/**
 * Does something with a version. One that was replaced meanwhile in a store without versions is what it is now; one that is gone gives
 * undefined. Throws SYSTEM_FAILED (retryable) where it is replaced again and again.
 */
export async function withVersion<Result>(
  store: ObjectStore,
  version: ObjectVersion,
  signal: AbortSignal,
  act: (version: ObjectVersion) => Promise<Result>,
): Promise<Result | undefined> {
  let current: ObjectVersion | undefined = version;
  for (let turn = 0; turn < TRIES; turn += 1) {
    try {
      return await act(current);
    } catch (error) {
      if (!(error instanceof ObjectMoved)) throw error;
      const { key, id }: ObjectVersion = current;
      const now = await store.versionsOf(key, signal);
      current =
        now.find((one) => one.id === id && !one.isMarker) ?? (version.isLatest ? latestOf(now) : undefined);
      if (current === undefined) return undefined;
    }
  }
  throw movedTooOften();
}

export function movedTooOften(): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    'An object was replaced by others each time that it was read; what they wrote was left as it is. It is tried again.',
    { retryable: true },
  );
}

/** What the store gives who asks for the key; undefined: nothing. */
export function latestOf(versions: readonly ObjectVersion[]): ObjectVersion | undefined {
  return versions.find(({ isLatest, isMarker }) => isLatest && !isMarker);
}

/** Folders and the marks of finished jobs (`_SUCCESS`) are empty objects, whatever the format of those beside them. */
export function hasNoRows({ size }: ObjectVersion): boolean {
  return size === 0;
}

export interface ReadRows {
  readonly store: ObjectStore;
  readonly rows: RowCollection;
  readonly search: RowSearch;
  readonly signal: AbortSignal;
}

/** How many rows of a version are whose. */
export async function countRows(
  version: ObjectVersion,
  read: ReadRows,
): Promise<ReadonlyMap<number, number>> {
  return (await readRowCounts(version, read)).of;
}

/** The same, with the content that was read: the version's own, or what took its place meanwhile. Undefined: it is gone. */
export async function readRowCounts(
  version: ObjectVersion,
  { store, rows, search, signal }: ReadRows,
): Promise<{ readonly of: ReadonlyMap<number, number>; readonly read: ObjectVersion | undefined }> {
  if (hasNoRows(version)) return { of: new Map(), read: version };
  const counted = await withVersion(store, version, signal, async (current) => {
    const of = new Map<number, number>();
    const file = await rows.format.open(store.open(current, signal), { search, signal });
    for await (const { whose } of file.find({ content: false }))
      for (const who of whose) of.set(who, (of.get(who) ?? 0) + 1);
    return { of, read: current };
  });
  return counted ?? { of: new Map(), read: undefined };
}

/** The rows of a version, with what is in them. An object that is replaced while it is given is a failure: half of it was given. */
export async function* givenRows(
  version: ObjectVersion,
  { store, rows, search, signal }: ReadRows,
): AsyncGenerator<FoundRow> {
  if (hasNoRows(version)) return;
  try {
    const file = await rows.format.open(store.open(version, signal), { search, signal });
    yield* file.find({ content: true });
  } catch (error) {
    if (!(error instanceof ObjectMoved)) throw error;
    if (latestOf(await store.versionsOf(version.key, signal)) !== undefined) throw movedTooOften();
  }
}
