import type { ConnectionSettings } from '../connection-kind.ts';
import type {
  CollectStep,
  Connector,
  Effect,
  KeyBatch,
  Outcome,
  Residual,
  Residue,
  Retained,
  Scope,
} from '../connector.ts';
import { inBatches } from '../key-batches.ts';
import type { ClosedPlace, NamedThing } from '../named-things.ts';
import { retainedOf } from '../retained-by.ts';
import { usableCollections } from '../usable-collections.ts';
import { type CompiledFiles, compileFiles, type FileCollection } from './compile-files.ts';
import { KEY_COLUMNS, keyOf, readKeys, removeFiles, statOf } from './erase-files.ts';
import { checkFolder, fromFileError, refuseOtherSystems, rootOf } from './file-system.ts';
import { type FoundFile, findFiles } from './find-files.ts';
import { Turns } from './find-paths.ts';
import { missingRights, toRemove } from './missing-rights.ts';
import { filesByName, patternsOfFiles } from './name-files.ts';
import { OpenFolder } from './open-root.ts';
import { rowsOfFile } from './read-file.ts';

const OWN_RESIDUALS: readonly Residual[] = [
  {
    what: 'The former bytes on the disk until it writes there again, and copies in snapshots and backups until they are recycled.',
    until: null,
    copy: 'disk',
  },
];

/** Acts on a tree of files whose paths name people. `url`: the root, as a path or `file:` address. */
export function createFilesConnector(settings: ConnectionSettings): Connector {
  const { key } = settings;
  const what = `The file tree of ${key}`;
  const path = rootOf(settings);
  const compiled = (): CompiledFiles => compileFiles({ ...settings, now: settings.clock.now() });
  const usable = () => usableCollections(key, compiled());
  const openRoot = (): OpenFolder => {
    refuseOtherSystems();
    return OpenFolder.root(path);
  };
  const find = (root: OpenFolder, collection: FileCollection, scope: Scope): AsyncGenerator<FoundFile> =>
    findFiles({ root, collection, identities: scope.identities, turns: new Turns(scope.signal) });
  /** Errors of the file system lose their paths. */
  const told = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    try {
      return await act();
    } catch (error) {
      throw fromFileError(error, what);
    }
  };
  async function* toldEach<Value>(values: () => AsyncGenerator<Value>): AsyncGenerator<Value> {
    try {
      yield* values();
    } catch (error) {
      throw fromFileError(error, what);
    }
  }

  async function* locate(scope: Scope): AsyncGenerator<KeyBatch> {
    using root = openRoot();
    for (const collection of usable()) {
      if (collection.keep !== undefined) continue;
      const files = find(root, collection, scope);
      yield* inBatches(collection.name, KEY_COLUMNS, keysOf(root, files));
    }
  }

  async function* collect(scope: Scope): AsyncGenerator<CollectStep> {
    using root = openRoot();
    const counts: Record<string, number> = {};
    for (const collection of usable()) {
      for await (const file of find(root, collection, scope)) {
        // What was made from a file says nothing that the file does not say.
        if (file.isDerived) continue;
        for await (const row of rowsOfFile(root, file.path)) {
          scope.signal.throwIfAborted();
          counts[collection.name] = (counts[collection.name] ?? 0) + 1;
          yield { state: 'item', item: { collection: collection.name, row } };
        }
      }
    }
    const matched = Object.keys(counts).length > 0;
    yield { state: 'done', evidence: { matched, counts, retained: [], residuals: [], notes: [] } };
  }

  async function* named(signal: AbortSignal): AsyncGenerator<NamedThing | ClosedPlace> {
    using root = openRoot();
    yield* filesByName({ root, collections: usable(), turns: new Turns(signal) });
  }

  /** What stays of the person by a duty to keep. */
  const retained = async (root: OpenFolder, scope: Scope): Promise<readonly Retained[]> => {
    const kept: Retained[] = [];
    for (const collection of usable()) {
      if (collection.keep === undefined) continue;
      let count = 0;
      for await (const _ of find(root, collection, scope)) count += 1;
      if (count > 0) kept.push(retainedOf(collection.name, count, collection.keep));
    }
    return kept;
  };

  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),
    named: {
      patterns: () =>
        patternsOfFiles(usable()).map(({ collection, pattern: { text }, tells }) => ({
          collection: collection.name,
          text,
          tells,
        })),
      read: (signal) => toldEach(() => named(signal)),
    },
    locate: (scope) => toldEach(() => locate(scope)),
    collect: (scope) => toldEach(() => collect(scope)),
    check: () =>
      checkFolder({
        what,
        path,
        key,
        compiled,
        lacks: () => {
          const removed = usable().filter(({ keep }) => keep === undefined);
          return missingRights(
            path,
            removed.map(({ name, paths }) => ({ collection: name, patterns: paths, look: toRemove })),
          );
        },
      }),
    erase: (scope, mode): Promise<Outcome> =>
      told(async () => {
        using root = openRoot();
        const names = new Set(usable().map(({ name }) => name));
        const counts: Record<string, number> = {};
        const effects: Record<string, Effect> = {};
        let linked = 0;
        const turns = new Turns(scope.signal);
        for (const [name, keys] of await readKeys(scope.keys(), scope.signal)) {
          if (!names.has(name)) continue;
          const removed = await removeFiles({
            root,
            keys: keys.values(),
            mode,
            countsGone: mode === 'erase' && scope.unanswered === true,
            turns,
          });
          linked += removed.linked;
          if (removed.files === 0) continue;
          counts[name] = removed.files;
          const erased = mode === 'erase' ? removed.files : 0;
          effects[name] = { found: removed.files, erased, masked: 0, kept: 0, level: 'logical' };
        }
        const kept = await retained(root, scope);
        for (const { collection, count } of kept)
          effects[collection] = { found: count, erased: 0, masked: 0, kept: count, level: 'logical' };
        const matched = Object.keys(effects).length > 0;
        const residuals = Object.keys(counts).length === 0 ? [] : [...OWN_RESIDUALS];
        if (linked > 0) {
          residuals.push({
            what: `${linked} files have further names (hard links), under which they can still be read.`,
            until: null,
          });
        }
        return {
          state: 'done',
          evidence: { matched, counts, retained: kept, residuals, notes: [], effects },
        };
      }),
    verify: (scope): Promise<Residue> =>
      told(async () => {
        using root = openRoot();
        const stored = await readKeys(scope.keys(), scope.signal);
        const remaining: Record<string, number> = {};
        for (const collection of usable()) {
          if (collection.keep !== undefined) continue;
          const left = new Set(
            [...(stored.get(collection.name)?.keys() ?? [])].filter((one) => statOf(root, one) !== undefined),
          );
          for await (const file of find(root, collection, scope)) left.add(file.path);
          remaining[collection.name] = left.size;
        }
        return { remaining, retained: await retained(root, scope) };
      }),
    close: async () => undefined,
  };
}

async function* keysOf(root: OpenFolder, files: AsyncIterable<FoundFile>): AsyncGenerator<string> {
  for await (const { path, common } of files)
    yield keyOf({ path, common, isLinked: (statOf(root, path)?.nlink ?? 1) > 1 });
}
