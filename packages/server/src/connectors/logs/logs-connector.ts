import { isUtf8 } from 'node:buffer';
import { readable } from '../byte-text.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type {
  CollectStep,
  Connector,
  Effect,
  EraseMode,
  Evidence,
  KeyBatch,
  LocatedScope,
  Residual,
  Residue,
  Retained,
  Scope,
  Swept,
} from '../connector.ts';
import { checkFolder, fromFileError, refuseOtherSystems, rootOf } from '../files/file-system.ts';
import { type ActedOn, missingRights, toOverwrite, toRewrite } from '../files/missing-rights.ts';
import { OpenFolder } from '../files/open-root.ts';
import { gathered } from '../gathered.ts';
import { inBatches } from '../key-batches.ts';
import { KnownClean } from '../known-clean.ts';
import { retainedOf } from '../retained-by.ts';
import { usableCollections } from '../usable-collections.ts';
import { type CompiledLogs, compileLogs, type LogCollection } from './compile-logs.ts';
import type { LogName } from './find-logs.ts';
import { leftUntil } from './left-until.ts';
import {
  countLines,
  type ErasedLines,
  eraseLines,
  type LogPass,
  linesOf,
  locateLines,
} from './log-passes.ts';
import { needlesOf } from './needles.ts';
import type { FoundLine } from './scan-lines.ts';
import { KEY_COLUMNS, readLines, type StoredLines, storedForm } from './stored-lines.ts';
import { QUIET_MILLISECONDS, sweepUnfinished } from './unfinished.ts';

const OWN_RESIDUALS: readonly Residual[] = [
  {
    what: 'Copies that were shipped to another system, and in snapshots and backups until they are recycled.',
    until: null,
    copy: 'shipped-copies',
  },
];

/**
 * Acts on the lines of log files that name people: who is asked for at the same time shares one pass over the files. `url`: their folder, as
 * a path or `file:` address.
 */
export function createLogsConnector(settings: ConnectionSettings): Connector {
  const { key, clock } = settings;
  const what = `The log folder of ${key}`;
  const path = rootOf(settings);
  const compiled = (): CompiledLogs => compileLogs({ ...settings, now: clock.now() });
  const usable = () => usableCollections(key, compiled());
  const known = new KnownClean();
  /** Does something in the folder, after what ended processes left there was removed. Errors lose their paths. */
  const within = async <Result>(
    signal: AbortSignal,
    act: (pass: LogPass, sweep: (idempotencyKeys?: readonly string[]) => Promise<Swept>) => Promise<Result>,
  ): Promise<Result> => {
    try {
      using root = openRoot(signal);
      const collections = usable();
      const pass = { root, collections, signal, remembered: { known, now: clock.now() } };
      return await act(pass, (idempotencyKeys) =>
        sweepUnfinished({ ...pass, now: clock.now(), idempotencyKeys: idempotencyKeys ?? [] }),
      );
    } catch (error) {
      throw fromFileError(error, what);
    }
  };
  const openRoot = (signal: AbortSignal): OpenFolder => {
    signal.throwIfAborted();
    refuseOtherSystems();
    return OpenFolder.root(path);
  };
  // Two passes that write the same file anew would undo each other's work.
  let turn: Promise<unknown> = Promise.resolve();
  const alone = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const mine = turn.then(act, act);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const locating = gathered((scopes: readonly Scope[], signal) =>
    within(signal, async (pass, sweep) => {
      await sweep();
      return locateLines(scopes, pass);
    }),
  );
  const storedOf = (scopes: readonly LocatedScope[]) =>
    Promise.all(scopes.map((scope) => readLines(scope.keys(), scope.signal)));
  const erasing = (mode: EraseMode) =>
    gathered(async (scopes: readonly LocatedScope[], signal) => {
      const stored = await storedOf(scopes);
      const people = scopes.map(({ idempotencyKey }, who) => ({
        idempotencyKey,
        stored: stored[who] ?? new Map(),
      }));
      return alone(() =>
        within(signal, async (pass, sweep) => {
          if (mode === 'dry-run') {
            const erased = await eraseLines(people, mode, pass);
            return people.map((_, who) => ({ erased: erased[who] ?? new Map(), unfinished: 0 }));
          }
          await sweep(people.map(({ idempotencyKey }) => idempotencyKey));
          const erased = await eraseLines(people, mode, pass);
          const { left: unfinished } = await sweep();
          return people.map(({ stored: own }, who) => ({
            erased: withGone(erased[who] ?? new Map(), scopes[who], own),
            unfinished,
          }));
        }),
      );
    });
  const erase = { erase: erasing('erase'), 'dry-run': erasing('dry-run') };
  const verifying = gathered(async (scopes: readonly LocatedScope[], signal) => {
    const stored = await storedOf(scopes);
    const people = scopes.map(({ identities }, who) => ({
      identitiesIn: (name: string) => [...identities, ...(stored[who]?.get(name)?.identities ?? [])],
    }));
    return within(signal, async (pass, sweep) => {
      await sweep();
      const collections = pass.collections.filter(({ keep }) => keep === undefined);
      return countLines(people, { ...pass, collections });
    });
  });
  /** What stays of each person by a duty to keep. */
  const retained = gathered((scopes: readonly Scope[], signal) =>
    within(signal, async (pass): Promise<readonly (readonly Retained[])[]> => {
      const kept = pass.collections.filter(({ keep }) => keep !== undefined);
      const people = scopes.map(({ identities }) => ({ identitiesIn: () => identities }));
      const counts = await countLines(people, { ...pass, collections: kept });
      return counts.map((own) =>
        kept.flatMap(({ name, keep }) => {
          const count = own.get(name) ?? 0;
          return keep === undefined || count === 0 ? [] : [retainedOf(name, count, keep)];
        }),
      );
    }),
  );

  async function* collect({ identities, signal }: Scope): AsyncGenerator<CollectStep> {
    using root = openRoot(signal);
    const collections = usable();
    await sweepUnfinished({ root, collections, now: clock.now(), signal });
    const counts: Record<string, number> = {};
    let long = 0;
    for (const collection of collections) {
      const needles = needlesOf(collection.fields, identities);
      for await (const { name, line } of linesOf(collection, needles, { root, signal })) {
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

  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),
    check: () =>
      checkFolder({
        what,
        path,
        key,
        compiled,
        lacks: () => missingRights(path, usable().flatMap(actedOn)),
      }),
    async *locate(scope): AsyncGenerator<KeyBatch> {
      for (const [name, { identities, lines }] of await locating(scope))
        yield* inBatches(
          name,
          KEY_COLUMNS,
          identities.map((identity) => storedForm(identity, lines)),
        );
    },
    async *collect(scope): AsyncGenerator<CollectStep> {
      try {
        yield* collect(scope);
      } catch (error) {
        throw fromFileError(error, what);
      }
    },
    async erase(scope, mode) {
      const { erased, unfinished } = await erase[mode](scope);
      const done = { erased, unfinished, kept: await retained(scope), mode };
      return { state: 'done', evidence: evidenceOf(usable(), done, clock.now()) };
    },
    async verify(scope): Promise<Residue> {
      const counts = await verifying(scope);
      const remaining = Object.fromEntries(
        usable().flatMap(({ name, keep }) => (keep === undefined ? [[name, counts.get(name) ?? 0]] : [])),
      );
      return { remaining, retained: await retained(scope) };
    },
    sweep: (signal) => alone(() => within(signal, (_, sweep) => sweep())),
    close: async () => {
      await turn;
    },
  };
}

/** How the files of a collection are acted on. */
function actedOn({ name, paths, live, liveFiles, keep }: LogCollection): readonly ActedOn[] {
  if (keep !== undefined) return [];
  const overwritten = { collection: name, patterns: live, look: toOverwrite };
  const rewritten = { collection: name, patterns: paths, except: live, look: toRewrite };
  return liveFiles === 'overwrite' ? [overwritten, rewritten] : [rewritten];
}

/** With the lines that an attempt erased whose answer was lost. */
function withGone(
  erased: ReadonlyMap<string, ErasedLines>,
  scope: Pick<Scope, 'unanswered'> | undefined,
  stored: ReadonlyMap<string, StoredLines>,
): ReadonlyMap<string, ErasedLines> {
  if (scope?.unanswered !== true) return erased;
  const all = new Map(erased);
  for (const [name, { lines: found }] of stored) {
    const { lines, left } = erased.get(name) ?? { lines: 0, left: 0 };
    if (found > 0) all.set(name, { lines: Math.max(lines, found - left), left });
  }
  return all;
}

function evidenceOf(
  collections: readonly LogCollection[],
  done: {
    readonly erased: ReadonlyMap<string, ErasedLines>;
    /** Files of others, or of nobody, that may hold lines of anybody. */
    readonly unfinished: number;
    readonly kept: readonly Retained[];
    readonly mode: EraseMode;
  },
  now: Date,
): Evidence {
  const { erased, unfinished, kept, mode } = done;
  const counts: Record<string, number> = {};
  const effects: Record<string, Effect> = {};
  const residuals: Residual[] = [];
  for (const { name, liveFiles, erase } of collections) {
    const { lines, left } = erased.get(name) ?? { lines: 0, left: 0 };
    if (lines > 0) counts[name] = lines;
    if (lines + left === 0) continue;
    const changed = mode === 'erase' ? lines : 0;
    effects[name] = {
      found: lines + left,
      erased: erase === 'drop' ? changed : 0,
      masked: erase === 'redact' ? changed : 0,
      kept: left,
      level: 'logical',
    };
    if (left > 0 && liveFiles !== 'overwrite')
      residuals.push({
        what: `${left} lines of ${name} in files that are written to now, until they are rotated away.`,
        until: leftUntil(now, liveFiles.leftFor),
        copy: 'live-files',
      });
  }
  if (Object.keys(counts).length > 0) residuals.push(...OWN_RESIDUALS);
  if (unfinished > 0 && Object.keys(effects).length > 0)
    residuals.push({
      what: `${unfinished} unfinished files beside the logs, which another server of Habeas makes or left behind; they are removed once nobody writes them.`,
      until: new Date(now.getTime() + 2 * QUIET_MILLISECONDS).toISOString(),
      copy: 'unfinished-files',
    });
  for (const { collection, count } of kept)
    effects[collection] = { found: count, erased: 0, masked: 0, kept: count, level: 'logical' };
  const matched = Object.keys(effects).length > 0;
  return { matched, counts, retained: kept, residuals, notes: [], effects };
}

function rowOf(name: LogName, line: FoundLine): Readonly<Record<string, unknown>> {
  const file = readable(name.path);
  if (line.bytes === undefined) return { file, from: line.start, to: line.end };
  const text = line.bytes.toString('utf8').replace(/\r?\n$/, '');
  return isUtf8(line.bytes)
    ? { file, line: text }
    : { file, line: text, bytes: line.bytes.toString('base64') };
}
