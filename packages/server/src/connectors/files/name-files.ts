import type { ClosedPlace, NamedThing, NamePattern } from '../named-things.ts';
import { type FileCollection, PARTS_OF_SOURCE } from './compile-files.ts';
import { inFolders, partsOf } from './find-files.ts';
import { findThings, type Turns } from './find-paths.ts';
import type { OpenFolder } from './open-root.ts';
import type { PathPattern } from './path-pattern.ts';
import { namedIdentities, readName, valuesOfFields } from './read-name.ts';
import { type SearchPlan, searchPlans } from './search-plan.ts';

/** A pattern of files with what it tells. */
interface FilePattern {
  readonly collection: FileCollection;
  readonly pattern: PathPattern;
  readonly isDerived: boolean;
  readonly tells: NamePattern['tells'];
}

/** All patterns of the collections, those of derived files too. */
export function patternsOfFiles(collections: readonly FileCollection[]): readonly FilePattern[] {
  return collections.flatMap((collection) => [
    ...collection.paths.map((pattern) => ({
      collection,
      pattern,
      isDerived: false,
      tells: namedIdentities(collection, pattern),
    })),
    ...collection.derived.map((pattern) => ({
      collection,
      pattern: inFolders(pattern),
      isDerived: true,
      tells: 'original' as const,
    })),
  ]);
}

/** Every file whose path fits a pattern; a link is one, and is not followed. */
export async function* filesByName(options: {
  readonly root: OpenFolder;
  readonly collections: readonly FileCollection[];
  readonly turns: Turns;
}): AsyncGenerator<NamedThing | ClosedPlace> {
  const { root, turns } = options;
  const patterns = patternsOfFiles(options.collections);
  for (const [index, one] of patterns.entries()) {
    const closed: string[] = [];
    const made = patterns.flatMap((other, at) =>
      other.isDerived && other.collection === one.collection && !one.isDerived ? [{ at, other }] : [],
    );
    for (const plan of plansFor(one.pattern)) {
      for await (const { path, stat } of findThings({
        root,
        plan,
        turns,
        onClosed: (at) => closed.push(at),
      })) {
        for (const place of closed.splice(0)) yield { closed: place };
        const readings = one.isDerived ? originalsOf(one, path) : readName(one.collection, one.pattern, path);
        if (readings.length === 0) continue;
        const originalBy = made.flatMap(({ at, other }) =>
          tellsOf(one, other, path).map((text) => ({ pattern: at, text })),
        );
        // A move into its place leaves the time of the content as it was.
        const changedAt = new Date(Math.max(stat.mtimeMs, stat.ctimeMs));
        yield { name: path, pattern: index, changedAt, readings, originalBy };
      }
    }
    for (const place of closed) yield { closed: place };
  }
}

/** How every path of a pattern is found: a placeholder over several folders, whose value nobody knows, is any number of them. */
function plansFor(pattern: PathPattern): readonly SearchPlan[] {
  return searchPlans(pattern, new Map()).map((plan) => {
    const { tokens } = pattern;
    const at = tokens.findIndex((token) => token.kind === 'field' && token.class === 'path');
    if (at < 0) return plan;
    const before = tokens
      .slice(0, at)
      .filter((token) => token.kind === 'literal' && token.text === '/').length;
    return {
      ...plan,
      steps: [...plan.steps.slice(0, before), { kind: 'folders' }, { kind: 'fitting', fits: /^/ }],
    };
  });
}

/** The placeholders that tell the original: parts of its path, and identities that it has as well. */
function fieldsOf({ collection, pattern }: FilePattern): readonly string[] {
  const names = [...PARTS_OF_SOURCE, ...collection.identities.map(({ name }) => name)];
  return [...new Set(names)].filter((name) => pattern.fields.has(name));
}

/** How a derived file names its original, once for each way to read its path. */
function originalsOf(derived: FilePattern, path: string): readonly (readonly string[])[] {
  const readings = valuesOfFields(derived.pattern, fieldsOf(derived), path);
  return readings.map((values) => [JSON.stringify(values)]);
}

/** How a file is named by what was made from it. */
function tellsOf(original: FilePattern, derived: FilePattern, path: string): readonly string[] {
  const parts = partsOf(path);
  let texts: readonly (readonly string[])[] = [[]];
  for (const field of fieldsOf(derived)) {
    const part = parts.get(field);
    const values = part === undefined ? valuesOfFields(original.pattern, [field], path).flat() : [part];
    texts = texts.flatMap((text) => values.map((value) => [...text, value]));
  }
  return texts.map((values) => JSON.stringify(values));
}
