import { isUtf8 } from 'node:buffer';
import type { CollectStep, Scope } from '../connector.ts';
import type { ObjectCollection } from './compile-objects.ts';
import { keysOf } from './key-filter.ts';
import { hasRows, objectsOf, type PassOptions } from './object-passes.ts';
import type { ObjectStore, ObjectVersion } from './object-store.ts';
import { countRows, givenRows } from './read-version.ts';
import { createRowSearch } from './row-search.ts';
import { soughtRows } from './sought-rows.ts';

/** A larger object is handed over in parts, so that none is in memory as a whole. */
const PART_BYTES = 1 << 20;

/** Everything of the person: rows of the latest versions, and whole objects with their older versions. */
export async function* collectObjects(
  scope: Scope,
  { store, collections }: Pick<PassOptions, 'store' | 'collections'>,
): AsyncGenerator<CollectStep> {
  const counts: Record<string, number> = {};
  const notes: string[] = [];
  for (const collection of collections) {
    const given = hasRows(collection)
      ? rowsOf(scope, { store, collection, notes })
      : wholeObjects(scope, { store, collection });
    for await (const row of given) {
      scope.signal.throwIfAborted();
      counts[collection.name] = (counts[collection.name] ?? 0) + 1;
      yield { state: 'item', item: { collection: collection.name, row } };
    }
  }
  const matched = Object.keys(counts).length > 0;
  yield { state: 'done', evidence: { matched, counts, retained: [], residuals: [], notes } };
}

type Row = Readonly<Record<string, unknown>>;

async function* rowsOf(
  { identities, signal }: Scope,
  {
    store,
    collection,
    notes,
  }: {
    readonly store: ObjectStore;
    readonly collection: ObjectCollection;
    readonly notes: string[];
  },
): AsyncGenerator<Row> {
  const { rows, name } = collection;
  if (rows === undefined) return;
  const sought = soughtRows({ name, groups: rows.groups }, identities, 0);
  if (sought.length === 0) return;
  const search = createRowSearch(sought);
  const { prefixes, fits } = keysOf(collection.patterns);
  let old = 0;
  let archived = 0;
  for (const prefix of prefixes)
    for await (const version of store.versions(prefix, signal)) {
      if (version.isMarker || !fits(version.key)) continue;
      if (version.isArchived) archived += 1;
      else if (!version.isLatest)
        old += (await countRows(version, { store, rows, search, signal })).get(0) ?? 0;
      else
        for await (const { content } of givenRows(version, { store, rows, search, signal }))
          yield {
            object: version.key,
            ...(content === undefined ? { note: 'too large to be handed over' } : { row: content }),
          };
    }
  if (old > 0)
    notes.push(`${old} rows of ${name} stand in versions that are not the latest; they are not handed over.`);
  if (archived > 0)
    notes.push(`${archived} objects of ${name} lie in an archive and were not looked through.`);
}

async function* wholeObjects(
  { identities, signal }: Scope,
  { store, collection }: { readonly store: ObjectStore; readonly collection: ObjectCollection },
): AsyncGenerator<Row> {
  for await (const key of objectsOf(store, collection, identities, signal)) {
    const versions = await store.versionsOf(key, signal);
    for (const version of versions) if (!version.isMarker) yield* partsOfObject(version, store, signal);
  }
}

async function* partsOfObject(
  version: ObjectVersion,
  store: ObjectStore,
  signal: AbortSignal,
): AsyncGenerator<Row> {
  const { key, size, isLatest } = version;
  const about = {
    key,
    modified: version.modifiedAt.toISOString(),
    size,
    ...(isLatest ? {} : { version: version.id }),
  };
  if (version.isArchived) {
    yield { ...about, note: 'in an archive, from which it cannot be handed over now' };
    return;
  }
  const source = store.open(version, signal);
  const parts = Math.max(1, Math.ceil(size / PART_BYTES));
  for (let part = 0; part < parts; part += 1) {
    const at = part * PART_BYTES;
    const bytes = Buffer.from(await source.read(at, Math.min(PART_BYTES, size - at)));
    const content = isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
    yield { ...about, ...(parts === 1 ? {} : { part: part + 1, parts }), ...content };
  }
}
