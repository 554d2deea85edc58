import { HabeasError } from '../../foundation/index.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type {
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
} from '../connector.ts';
import { gathered } from '../gathered.ts';
import { inBatches } from '../key-batches.ts';
import { KnownClean } from '../known-clean.ts';
import { retainedOf } from '../retained-by.ts';
import { usableCollections } from '../usable-collections.ts';
import { collectObjects } from './collect-objects.ts';
import { compileObjects, type ObjectCollection } from './compile-objects.ts';
import { keysOf } from './key-filter.ts';
import { objectsByName, patternsOfObjects } from './name-objects.ts';
import { KEY_COLUMNS, readLocatedRows, storedForm } from './object-keys.ts';
import { type ErasedObjects, eraseObjects, locateObjects, storedOf, verifyObjects } from './object-passes.ts';
import type { ObjectStore } from './object-store.ts';
import { isFound, type Tally } from './tally.ts';

const CHECK_MILLISECONDS = 30_000;
const LOCKED = 'The store locks the versions that hold it (object lock, immutability, legal hold).';

/** Acts on the objects of a store, whatever it is: people who are asked for at the same time share one pass over it. */
export function createObjectsConnector(settings: ConnectionSettings, store: ObjectStore): Connector {
  const { key, clock } = settings;
  const compiled = () => compileObjects({ ...settings, now: clock.now() });
  const usable = () => usableCollections(key, compiled());
  const known = new KnownClean();
  const pass = (signal: AbortSignal) => ({ store, collections: usable(), now: clock.now(), signal, known });

  const locating = gathered((scopes: readonly Scope[], signal) => locateObjects(scopes, pass(signal)));
  const erasing = (mode: EraseMode) =>
    gathered(async (scopes: readonly LocatedScope[], signal) =>
      eraseObjects(await Promise.all(scopes.map(personOf)), mode, pass(signal)),
    );
  const erase = { erase: erasing('erase'), 'dry-run': erasing('dry-run') };
  const verifying = gathered(async (scopes: readonly LocatedScope[], signal) =>
    verifyObjects(await Promise.all(scopes.map(personOf)), pass(signal)),
  );

  /** What stays of each person by a duty to keep. */
  const retained = gathered(
    async (scopes: readonly Scope[], signal): Promise<readonly (readonly Retained[])[]> => {
      const kept = usable().filter(({ keep }) => keep !== undefined);
      if (kept.length === 0) return scopes.map(() => []);
      const collections = kept.map((collection) => ({ ...collection, keep: undefined }));
      const people = scopes.map(({ identities }) => ({ identities, stored: new Map() }));
      const found = await verifyObjects(people, { ...pass(signal), collections });
      return found.map((readable) =>
        kept.flatMap(({ name, keep }) => {
          const count = readable.get(name)?.remaining ?? 0;
          return keep === undefined || count === 0 ? [] : [retainedOf(name, count, keep)];
        }),
      );
    },
  );

  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),
    named: {
      patterns: () => patternsOfObjects(usable()),
      read: (signal) => objectsByName(store, usable(), signal),
    },

    async check() {
      const signal = AbortSignal.timeout(CHECK_MILLISECONDS);
      try {
        const { collections, problems } = compiled();
        if (problems.length > 0)
          return { ok: false, message: `The datasets of ${key} have to be corrected.`, problems };
        await store.check(signal);
        const missing = await missingRights(store, collections, signal);
        return {
          ok: missing.length === 0,
          message:
            missing.length === 0
              ? `The object store of ${key} answers; ${collections.length} collections. Not probed: ${store.untried}.`
              : `The object store of ${key} answers, but does not let Habeas do all that its datasets ask for.`,
          problems: missing,
        };
      } catch (error) {
        if (signal.aborted)
          return {
            ok: false,
            message: `The object store of ${key} does not answer within 30 s.`,
            problems: [],
          };
        const known = HabeasError.from(error);
        return { ok: false, message: known.message, problems: known.details };
      }
    },

    async *locate(scope): AsyncGenerator<KeyBatch> {
      for (const [name, keys] of await locating(scope)) {
        const collection = usable().find((one) => one.name === name);
        if (collection === undefined) continue;
        const own = identitiesOf(collection, scope);
        yield* inBatches(
          name,
          KEY_COLUMNS,
          [...keys].map(([object, versions]) => storedForm(object, own, versions)),
        );
      }
    },

    async *collect(scope) {
      scope.signal.throwIfAborted();
      yield* collectObjects(scope, { store, collections: usable() });
    },

    async erase(scope, mode) {
      const erased = await erase[mode](scope);
      return { state: 'done', evidence: evidenceOf(erased, await retained(scope), mode) };
    },

    async verify(scope): Promise<Residue> {
      const readable = await verifying(scope);
      const remaining = Object.fromEntries([...readable].map(([name, one]) => [name, one.remaining]));
      const locked = [...readable].flatMap(([name, one]) => lockedOf(name, one.locked));
      return { remaining, retained: [...(await retained(scope)), ...locked] };
    },

    close: async () => store.close(),
  };

  function evidenceOf(
    { tallies, copies }: ErasedObjects,
    kept: readonly Retained[],
    mode: EraseMode,
  ): Evidence {
    const counts: Record<string, number> = {};
    const effects: Record<string, Effect> = {};
    const stays: Retained[] = [...kept];
    const residuals: Residual[] = [];
    for (const [name, tally] of tallies) {
      const { done, locked, left, archived, uploads } = tally;
      const collection = usable().find((one) => one.name === name);
      if (collection === undefined) continue;
      if (archived > 0)
        residuals.push({
          what: `${archived} versions of objects of ${name} lie in an archive, where nobody can look through them: restore them and ask again.`,
          until: null,
          copy: 'archive',
        });
      if (!isFound(tally)) continue;
      if (done > 0) counts[name] = done;
      stays.push(...lockedOf(name, locked));
      const isMask = collection.rows?.change.kind === 'mask';
      if (isMask && done > 0)
        stays.push(...(collection.rows?.kept ?? []).map((keep) => retainedOf(name, done, keep)));
      const changed = mode === 'erase' ? done : 0;
      effects[name] = {
        found: done + locked.count + left.count,
        erased: isMask ? 0 : changed,
        masked: isMask ? changed : 0,
        kept: locked.count + left.count,
        level: 'logical',
      };
      if (left.count > 0)
        residuals.push({
          what: `${left.count} rows of ${name} in older versions, until the lifecycle rules of the store remove them${left.until === null ? '; there is no such rule' : ''}.`,
          until: left.until,
          copy: 'old-versions',
        });
      if (uploads.count > 0)
        residuals.push({
          what: `${uploads.count} unfinished uploads to objects of ${name}, which nobody can read before they are complete.`,
          until: uploads.until,
          copy: 'unfinished-uploads',
        });
    }
    for (const { collection, count } of kept)
      effects[collection] = { found: count, erased: 0, masked: 0, kept: count, level: 'logical' };
    if (mode === 'erase' && Object.keys(counts).length > 0) residuals.push(...copies);
    const matched = Object.keys(effects).length > 0;
    return { matched, counts, retained: stays, residuals, notes: [], effects };
  }
}

/** What of the work the store would not let us do, found out without changing anything: every line of it at once. */
async function missingRights(
  store: ObjectStore,
  collections: readonly ObjectCollection[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const { keep, rows, patterns } of collections) {
    if (keep !== undefined) continue;
    for (const act of rows === undefined ? (['delete'] as const) : (['write', 'delete'] as const))
      for (const prefix of keysOf(patterns).prefixes)
        for await (const { message } of store.tryTo(act, prefix, signal)) missing.add(message);
  }
  return [...missing];
}

function lockedOf(collection: string, { count, until }: Tally['locked']): readonly Retained[] {
  return count === 0 ? [] : [{ collection, count, reason: LOCKED, until }];
}

async function personOf(scope: LocatedScope) {
  return {
    identities: scope.identities,
    stored: await storedOf(scope),
    ...(scope.unanswered === true ? { located: await readLocatedRows(scope.keys()) } : {}),
  };
}

/** The identities by which the person's rows of the collection are found. */
function identitiesOf(collection: ObjectCollection, { identities }: Scope) {
  if (collection.rows === undefined) return [];
  const types = new Set(collection.identities.map(({ type }) => type));
  return identities.filter(({ type }) => types.has(type));
}
