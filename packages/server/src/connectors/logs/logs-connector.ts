import { isUtf8 } from 'node:buffer';
import type { Identity } from '../../catalog/index.ts';
import { readable } from '../byte-text.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type {
  CollectStep,
  Connector,
  Effect,
  KeyBatch,
  LocatedScope,
  Outcome,
  Residual,
  Residue,
  Retained,
  Scope,
} from '../connector.ts';
import { checkFolder, fromFileError, refuseOtherSystems, rootOf } from '../files/file-system.ts';
import { OpenFolder } from '../files/open-root.ts';
import { inBatches } from '../key-batches.ts';
import { retainedOf } from '../retained-by.ts';
import { usableCollections } from '../usable-collections.ts';
import { type CompiledLogs, compileLogs, type LogCollection } from './compile-logs.ts';
import { eraseLog } from './erase-log.ts';
import { type LogName, logNames, placeOf, unfinishedNames } from './find-logs.ts';
import { leftUntil } from './left-until.ts';
import { linesIn, openLog } from './log-file.ts';
import { type Needle, needlesOf } from './needles.ts';
import type { FoundLine } from './scan-lines.ts';

const KEY_COLUMNS = ['type', 'value'];

const OWN_RESIDUALS: readonly Residual[] = [
  {
    what: 'Copies that were shipped to another system, and in snapshots and backups until they are recycled.',
    until: null,
    copy: 'shipped-copies',
  },
];

/** Acts on the lines of log files that name people. `url`: their folder, as a path or `file:` address. */
export function createLogsConnector(settings: ConnectionSettings): Connector {
  const { key } = settings;
  const what = `The log folder of ${key}`;
  const path = rootOf(settings);
  const compiled = (): CompiledLogs => compileLogs({ ...settings, now: settings.clock.now() });
  const usable = () => usableCollections(key, compiled());
  const openRoot = (signal: AbortSignal): OpenFolder => {
    signal.throwIfAborted();
    refuseOtherSystems();
    return OpenFolder.root(path);
  };
  async function* told<Value>(values: AsyncGenerator<Value>): AsyncGenerator<Value> {
    try {
      yield* values;
    } catch (error) {
      throw fromFileError(error, what);
    }
  }
  // Two requests that write the same file anew would undo each other's work.
  let turn: Promise<unknown> = Promise.resolve();
  const alone = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const mine = turn.then(act, act).catch((error: unknown) => {
      throw fromFileError(error, what);
    });
    turn = mine.catch(() => undefined);
    return mine;
  };

  async function* locate(scope: Scope): AsyncGenerator<KeyBatch> {
    using root = openRoot(scope.signal);
    for (const collection of usable()) {
      if (collection.keep !== undefined) continue;
      const found = new Map<string, Identity>();
      for await (const { line } of linesOf(root, collection, scope))
        for (const { identity } of line.needles)
          found.set(JSON.stringify([identity.type, identity.value]), identity);
      yield* inBatches(collection.name, KEY_COLUMNS, found.keys());
    }
  }

  async function* collect(scope: Scope): AsyncGenerator<CollectStep> {
    using root = openRoot(scope.signal);
    const counts: Record<string, number> = {};
    let long = 0;
    for (const collection of usable()) {
      for await (const { name, line } of linesOf(root, collection, scope)) {
        if (line.bytes === undefined) long += 1;
        counts[collection.name] = (counts[collection.name] ?? 0) + 1;
        yield { state: 'item', item: { collection: collection.name, row: rowOf(name, line) } };
      }
    }
    const matched = Object.keys(counts).length > 0;
    const notes =
      long === 0 ? [] : [`${long} lines are too long to be handed over; where they stand is told.`];
    yield { state: 'done', evidence: { matched, counts, retained: [], residuals: [], notes } };
  }

  const retained = async (root: OpenFolder, scope: Scope): Promise<readonly Retained[]> => {
    const kept: Retained[] = [];
    for (const collection of usable()) {
      if (collection.keep === undefined) continue;
      let count = 0;
      for await (const _ of linesOf(root, collection, scope)) count += 1;
      if (count > 0) kept.push(retainedOf(collection.name, count, collection.keep));
    }
    return kept;
  };

  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),
    locate: (scope) => told(locate(scope)),
    collect: (scope) => told(collect(scope)),
    check: () => checkFolder({ what, path, key, compiled }),
    erase: (scope, mode): Promise<Outcome> =>
      alone(async () => {
        using root = openRoot(scope.signal);
        const stored = await storedIdentities(scope);
        const counts: Record<string, number> = {};
        const effects: Record<string, Effect> = {};
        const left: Residual[] = [];
        for (const collection of usable()) {
          const { name, liveFiles } = collection;
          const needles = needlesOf(collection.fields, stored.get(name) ?? []);
          if (needles.length === 0 || collection.keep !== undefined) continue;
          if (mode === 'erase')
            await removeUnfinished(root, collection, { now: settings.clock.now(), signal: scope.signal });
          let lines = 0;
          let leftLines = 0;
          for (const file of await logNames(root, collection, scope.signal)) {
            const isLeft = file.isLive && liveFiles !== 'overwrite';
            const count = await eraseLog({
              root,
              name: file,
              collection,
              needles,
              signal: scope.signal,
              mode: isLeft ? 'dry-run' : mode,
            });
            if (isLeft) leftLines += count;
            else lines += count;
          }
          if (lines > 0) counts[name] = lines;
          if (lines + leftLines === 0) continue;
          const done = mode === 'erase' ? lines : 0;
          effects[name] = {
            found: lines + leftLines,
            erased: collection.erase === 'drop' ? done : 0,
            masked: collection.erase === 'redact' ? done : 0,
            kept: leftLines,
            level: 'logical',
          };
          if (leftLines > 0 && liveFiles !== 'overwrite') {
            const until = leftUntil(settings.clock.now(), liveFiles.leftFor);
            left.push({
              what: `${leftLines} lines of ${name} in files that are written to now, until they are rotated away.`,
              until,
              copy: 'live-files',
            });
          }
        }
        const kept = await retained(root, scope);
        for (const { collection, count } of kept)
          effects[collection] = { found: count, erased: 0, masked: 0, kept: count, level: 'logical' };
        const matched = Object.keys(effects).length > 0;
        const residuals = [...left, ...(Object.keys(counts).length === 0 ? [] : OWN_RESIDUALS)];
        return {
          state: 'done',
          evidence: { matched, counts, retained: kept, residuals, notes: [], effects },
        };
      }),
    verify: async (scope): Promise<Residue> => {
      try {
        using root = openRoot(scope.signal);
        const stored = await storedIdentities(scope);
        const remaining: Record<string, number> = {};
        for (const collection of usable()) {
          if (collection.keep !== undefined) continue;
          const identities = [...scope.identities, ...(stored.get(collection.name) ?? [])];
          let count = 0;
          for await (const { name } of linesOf(root, collection, { ...scope, identities }))
            if (!name.isLive || collection.liveFiles === 'overwrite') count += 1;
          remaining[collection.name] = count;
        }
        return { remaining, retained: await retained(root, scope) };
      } catch (error) {
        throw fromFileError(error, what);
      }
    },
    close: async () => {
      await turn;
    },
  };
}

async function* linesOf(
  root: OpenFolder,
  collection: LogCollection,
  { identities, signal }: Scope,
): AsyncGenerator<{ readonly name: LogName; readonly line: FoundLine }> {
  const needles: readonly Needle[] = needlesOf(collection.fields, identities);
  if (needles.length === 0) return;
  for (const name of await logNames(root, collection, signal)) {
    const { place, name: last } = placeOf(root, name.path);
    using _ = place;
    if (place.last === undefined) continue;
    await using file = await openLog(place.last.pathTo(last), 'read');
    if (file === undefined) continue;
    for await (const line of linesIn(file, { needles, signal })) yield { name, line };
  }
}

/** The identities that were found, by collection: what the keys of lines are made of, wherever a rotation moves the lines. */
async function storedIdentities(scope: LocatedScope): Promise<ReadonlyMap<string, readonly Identity[]>> {
  const stored = new Map<string, Map<string, Identity>>();
  for await (const { collection, keys } of scope.keys()) {
    scope.signal.throwIfAborted();
    const own = stored.get(collection) ?? new Map<string, Identity>();
    stored.set(collection, own);
    for (const text of keys) {
      const [type, value]: [string, string] = JSON.parse(text);
      own.set(text, { type, value });
    }
  }
  scope.signal.throwIfAborted();
  return new Map([...stored].map(([name, identities]) => [name, [...identities.values()]]));
}

/** Long enough that nobody writes it any more. */
const UNFINISHED_MILLISECONDS = 24 * 3_600_000;

async function removeUnfinished(
  root: OpenFolder,
  collection: LogCollection,
  scope: { readonly now: Date; readonly signal: AbortSignal },
): Promise<void> {
  for (const path of await unfinishedNames(root, collection, scope.signal)) {
    const { place, name } = placeOf(root, path);
    using _ = place;
    const stat = place.last?.stat(name);
    if (stat !== undefined && scope.now.getTime() - stat.ctimeMs > UNFINISHED_MILLISECONDS)
      place.last?.unlink(name);
  }
}

function rowOf(name: LogName, line: FoundLine): Readonly<Record<string, unknown>> {
  const file = readable(name.path);
  if (line.bytes === undefined) return { file, from: line.start, to: line.end };
  const text = line.bytes.toString('utf8').replace(/\r?\n$/, '');
  return isUtf8(line.bytes)
    ? { file, line: text }
    : { file, line: text, bytes: line.bytes.toString('base64') };
}
