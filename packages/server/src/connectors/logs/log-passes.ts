import type { Identity } from '../../catalog/index.ts';
import type { EraseMode, Scope } from '../connector.ts';
import type { OpenFolder } from '../files/open-root.ts';
import { CleanFiles, type Remembered } from './clean-files.ts';
import type { LogCollection } from './compile-logs.ts';
import { eraseLog } from './erase-log.ts';
import { type LogName, logNames } from './find-logs.ts';
import { linesIn, openLog } from './log-file.ts';
import { type Needle, needlesOf } from './needles.ts';
import { placeOf } from './place-of.ts';
import type { FoundLine } from './scan-lines.ts';
import type { StoredLines } from './stored-lines.ts';

export interface LogPass {
  readonly root: OpenFolder;
  readonly collections: readonly LogCollection[];
  readonly signal: AbortSignal;
  /** What earlier passes know of files, and this one tells later ones. (Default: nothing) */
  readonly remembered?: Remembered | undefined;
}

/** What a pass over one collection looks for: the needles of everybody, and whose each line is. */
interface LineSearch {
  readonly needles: readonly Needle[];
  whose(line: FoundLine): ReadonlyMap<number, readonly Identity[]>;
}

const nameOf = ({ type, value }: Identity) => JSON.stringify([type, value]);

/** Looks for the identities of many people at once; one identity may be given for several of them. */
function searchFor(collection: LogCollection, people: readonly (readonly Identity[])[]): LineSearch {
  const identities = new Map<string, Identity>();
  const owners = new Map<string, number[]>();
  for (const [who, own] of people.entries())
    for (const identity of own) {
      const name = nameOf(identity);
      identities.set(name, identity);
      const known = owners.get(name) ?? [];
      if (!known.includes(who)) owners.set(name, [...known, who]);
    }
  return {
    needles: needlesOf(collection.fields, [...identities.values()]),
    whose(line) {
      const found = new Map<number, Identity[]>();
      for (const { identity } of line.needles)
        for (const who of owners.get(nameOf(identity)) ?? [])
          found.set(who, [...(found.get(who) ?? []), identity]);
      return found;
    },
  };
}

/** What was found of each person, by collection: one pass over the files of a collection for all of them. */
export async function locateLines(
  people: readonly Pick<Scope, 'identities'>[],
  pass: LogPass,
): Promise<readonly ReadonlyMap<string, StoredLines>[]> {
  const found = people.map(
    () => new Map<string, { readonly identities: Map<string, Identity>; lines: number }>(),
  );
  for (const collection of pass.collections) {
    if (collection.keep !== undefined) continue;
    const search = searchFor(
      collection,
      people.map(({ identities }) => identities),
    );
    for await (const { line } of linesOf(collection, search.needles, pass))
      for (const [who, identities] of search.whose(line)) {
        const own = found[who]?.get(collection.name) ?? { identities: new Map(), lines: 0 };
        found[who]?.set(collection.name, own);
        for (const one of identities) own.identities.set(nameOf(one), one);
        own.lines += 1;
      }
  }
  return found.map(
    (own) =>
      new Map(
        [...own].map(([name, { identities, lines }]) => [
          name,
          { identities: [...identities.values()], lines },
        ]),
      ),
  );
}

/** What became of a person's lines of one collection. */
export interface ErasedLines {
  /** Erased or masked: in a dry run, what would be. */
  readonly lines: number;
  /** In live files that are left to their rotation. */
  readonly left: number;
}

/** Erases everybody's lines, each file written once for all of them. */
export async function eraseLines(
  people: readonly { readonly stored: ReadonlyMap<string, StoredLines>; readonly idempotencyKey: string }[],
  mode: EraseMode,
  { root, collections, signal, remembered }: LogPass,
): Promise<readonly ReadonlyMap<string, ErasedLines>[]> {
  const erased = people.map(() => new Map<string, ErasedLines>());
  const [{ idempotencyKey = '' } = {}] = people;
  for (const collection of collections) {
    const { name, liveFiles } = collection;
    if (collection.keep !== undefined) continue;
    const { needles, whose } = searchFor(
      collection,
      people.map(({ stored }) => stored.get(name)?.identities ?? []),
    );
    if (needles.length === 0) continue;
    const clean = cleanFiles(name, needles, remembered);
    for (const file of await logNames(root, collection, signal)) {
      const isLeft = file.isLive && liveFiles !== 'overwrite';
      const one = { root, name: file, collection, needles, signal, idempotencyKey, clean };
      const counts = await eraseLog({ ...one, mode: isLeft ? 'dry-run' : mode, whose });
      for (const [who, count] of counts) {
        const { lines, left } = erased[who]?.get(name) ?? { lines: 0, left: 0 };
        erased[who]?.set(name, isLeft ? { lines, left: left + count } : { lines: lines + count, left });
      }
    }
  }
  return erased;
}

/** How many lines of each person can be read, by collection; without those in live files that are left to their rotation. */
export async function countLines(
  people: readonly { readonly identitiesIn: (collection: string) => readonly Identity[] }[],
  pass: LogPass,
): Promise<readonly ReadonlyMap<string, number>[]> {
  const counts = people.map(() => new Map<string, number>());
  for (const collection of pass.collections) {
    const { name, keep, liveFiles } = collection;
    const { needles, whose } = searchFor(
      collection,
      people.map(({ identitiesIn }) => identitiesIn(name)),
    );
    for await (const { name: file, line } of linesOf(collection, needles, pass)) {
      if (file.isLive && keep === undefined && liveFiles !== 'overwrite') continue;
      for (const who of whose(line).keys()) counts[who]?.set(name, (counts[who]?.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

/** The lines of a collection that have one of the needles, and where they stand. */
export async function* linesOf(
  collection: LogCollection,
  needles: readonly Needle[],
  { root, signal, remembered }: Omit<LogPass, 'collections'>,
): AsyncGenerator<{ readonly name: LogName; readonly line: FoundLine }> {
  if (needles.length === 0) return;
  const clean = cleanFiles(collection.name, needles, remembered);
  for (const name of await logNames(root, collection, signal)) {
    const { place, name: last } = placeOf(root, name.path);
    using _ = place;
    if (place.last === undefined) continue;
    await using file = await openLog(place.last.pathTo(last), 'read');
    if (file === undefined || (!name.isLive && clean?.has(file) === true)) continue;
    const found = new Set<Needle>();
    for await (const line of linesIn(file, { needles, signal })) {
      for (const needle of line.needles) found.add(needle);
      yield { name, line };
    }
    if (!name.isLive) await clean?.note(file, found);
  }
}

function cleanFiles(
  collection: string,
  needles: readonly Needle[],
  remembered: Remembered | undefined,
): CleanFiles | undefined {
  return remembered === undefined ? undefined : new CleanFiles(collection, needles, remembered);
}
