import { byteText } from '../byte-text.ts';
import type { PathPattern } from '../files/path-pattern.ts';
import { namedIdentities, readName } from '../files/read-name.ts';
import type { NamedThing, NamePattern } from '../named-things.ts';
import type { ObjectCollection } from './compile-objects.ts';
import { keysOf } from './key-filter.ts';
import type { ObjectStore } from './object-store.ts';

interface ObjectPattern {
  readonly collection: ObjectCollection;
  readonly pattern: PathPattern;
}

/** The patterns of whole objects: keys of objects with rows in them name nobody. */
function objectPatterns(collections: readonly ObjectCollection[]): readonly ObjectPattern[] {
  return collections
    .filter(({ rows }) => rows === undefined)
    .flatMap((collection) => collection.patterns.map((pattern) => ({ collection, pattern })));
}

export function patternsOfObjects(collections: readonly ObjectCollection[]): readonly NamePattern[] {
  return objectPatterns(collections).map(({ collection, pattern }) => ({
    collection: collection.name,
    text: pattern.text,
    tells: namedIdentities(collection, pattern),
  }));
}

/**
 * Every object whose key fits a pattern, once for each of its versions, since an old one can be read as well. An object of which only
 * those are left is hidden. A key that is listed by several patterns is asked for once.
 */
export async function* objectsByName(
  store: Pick<ObjectStore, 'versions'>,
  collections: readonly ObjectCollection[],
  signal: AbortSignal,
): AsyncGenerator<NamedThing> {
  const patterns = objectPatterns(collections);
  for (const prefix of keysOf(patterns.map(({ pattern }) => pattern)).prefixes)
    for await (const { key, isMarker, isLatest, modifiedAt } of store.versions(prefix, signal)) {
      signal.throwIfAborted();
      if (isMarker) continue;
      const name = byteText(key);
      for (const [index, { collection, pattern }] of patterns.entries()) {
        const readings = readName(collection, pattern, name);
        if (readings.length === 0) continue;
        const thing = { name, pattern: index, changedAt: modifiedAt, readings, originalBy: [] };
        yield { ...thing, isHidden: !isLatest };
      }
    }
}
