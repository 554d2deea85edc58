import { HabeasError } from '../../foundation/index.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type {
  CollectStep,
  Connector,
  EraseMode,
  Evidence,
  KeyBatch,
  LocatedScope,
  Outcome,
  Residue,
  Retained,
  Scope,
} from '../connector.ts';
import { gathered } from '../gathered.ts';
import { inBatches } from '../key-batches.ts';
import { logicalEffects } from '../logical-effects.ts';
import { readKeys, type StoredObjects, storedForm } from '../objects/object-keys.ts';
import { retainedOf } from '../retained-by.ts';
import { usableCollections } from '../usable-collections.ts';
import { compileSphinx, type DocumentCollection } from './compile-sphinx.ts';
import { eraseDocuments } from './erase-documents.ts';
import { type FindDocuments, findDocuments } from './find-documents.ts';
import { indexShapes, misfits } from './index-shape.ts';
import { residualsOf } from './residuals.ts';
import { createSphinxClient } from './sphinx-client.ts';
import { sphinxOptions } from './sphinx-options.ts';

const KEY_COLUMNS = ['id', 'identities'];
const CHECK_MILLISECONDS = 15_000;

/** Acts on the full-text indexes of one searchd. `url`: where it listens for SphinxQL, as `mysql://search.internal:9306`. */
export function createSphinxConnector(settings: ConnectionSettings): Connector {
  const { key, clock } = settings;
  const options = sphinxOptions(settings);
  const client = createSphinxClient(options, key);
  const compiled = () => compileSphinx({ ...settings, now: clock.now() });
  /** Every collection with its index as it is now. Throws SCHEMA_MISMATCH where they do not fit. */
  const searches = async (signal: AbortSignal): Promise<readonly FindDocuments[]> => {
    signal.throwIfAborted();
    const collections = usableCollections(key, compiled());
    const shapes = await indexShapes(
      client,
      collections.map(({ index }) => index),
      signal,
    );
    const problems = collections.flatMap((one) => misfits(one, shapes.get(one.index), options.commands));
    usableCollections(key, { collections, problems });
    return collections.flatMap((collection) => {
      const shape = shapes.get(collection.index);
      return shape === undefined ? [] : [{ client, collection, shape, signal }];
    });
  };

  const retained = async ({ identities, signal }: Scope): Promise<readonly Retained[]> => {
    const kept: Retained[] = [];
    for (const search of await searches(signal)) {
      const { name, keep } = search.collection;
      if (keep === undefined) continue;
      let count = 0;
      for await (const _ of findDocuments(identities, search)) count += 1;
      if (count > 0) kept.push(retainedOf(name, count, keep));
    }
    return kept;
  };

  /** People who are erased at the same time share one run of each command. */
  const erasing = (mode: EraseMode) =>
    gathered(async (scopes: readonly LocatedScope[], signal) => {
      const stored = await Promise.all(scopes.map((scope) => readKeys(scope.keys(), scope.signal)));
      const counts = scopes.map((): Record<string, number> => ({}));
      const hasCopies = scopes.map(() => false);
      const isLost = (scope: LocatedScope | undefined) => mode === 'erase' && scope?.unanswered === true;
      const live = new Set<string>();
      for (const search of await searches(signal)) {
        const { name, index, keep } = search.collection;
        if (keep !== undefined) continue;
        const own = stored.map((one): StoredObjects => one.get(name) ?? new Map());
        const command = options.commands.get(index);
        const erased = await eraseDocuments(own, {
          ...search,
          mode,
          command,
          isPurged: options.isPurged,
          isRepeated: scopes.some(isLost),
        });
        for (const [who, there] of erased.entries()) {
          const count = isLost(scopes[who]) ? (own[who]?.size ?? 0) : there;
          const mine = counts[who];
          if (count === 0 || mine === undefined) continue;
          mine[name] = count;
          hasCopies[who] = true;
          if (search.shape.type === 'rt') live.add(index);
        }
      }
      const residuals =
        mode === 'dry-run' || !hasCopies.includes(true)
          ? []
          : await residualsOf(client, { ...options, live: [...live], now: clock.now(), signal });
      return counts.map((one, who) => ({
        counts: one,
        residuals: hasCopies[who] === true ? residuals : [],
      }));
    });
  const erase = { erase: erasing('erase'), 'dry-run': erasing('dry-run') };

  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),

    async check() {
      const signal = AbortSignal.timeout(CHECK_MILLISECONDS);
      try {
        const { collections, problems } = compiled();
        if (problems.length > 0)
          return { ok: false, message: `The datasets of ${key} have to be corrected.`, problems };
        await searches(signal);
        return {
          ok: true,
          message: `The searchd of ${key} answers; ${collections.length} collections.`,
          problems: [],
        };
      } catch (error) {
        if (signal.aborted)
          return { ok: false, message: `The searchd of ${key} does not answer within 15 s.`, problems: [] };
        const known = HabeasError.from(error);
        return { ok: false, message: known.message, problems: known.details };
      }
    },

    async *locate(scope): AsyncGenerator<KeyBatch> {
      for (const search of await searches(scope.signal)) {
        const { collection } = search;
        if (collection.keep !== undefined) continue;
        const own = identitiesOf(collection, scope);
        const keys = async function* () {
          for await (const { id } of findDocuments(own, search)) yield storedForm(id, own);
        };
        yield* inBatches(collection.name, KEY_COLUMNS, keys());
      }
    },

    async *collect(scope): AsyncGenerator<CollectStep> {
      const counts: Record<string, number> = {};
      for (const search of await searches(scope.signal))
        for await (const row of findDocuments(scope.identities, search)) {
          scope.signal.throwIfAborted();
          const { name } = search.collection;
          counts[name] = (counts[name] ?? 0) + 1;
          yield { state: 'item', item: { collection: name, row } };
        }
      const matched = Object.keys(counts).length > 0;
      const notes = matched
        ? ['An index keeps attributes; the text of its full-text fields is in what it was made from.']
        : [];
      yield { state: 'done', evidence: { matched, counts, retained: [], residuals: [], notes } };
    },

    async erase(scope, mode): Promise<Outcome> {
      const { counts, residuals } = await erase[mode](scope);
      const kept = await retained(scope);
      const effects = logicalEffects(counts, kept, mode);
      const matched = Object.keys(effects).length > 0;
      const evidence: Evidence = { matched, counts, retained: kept, residuals, notes: [], effects };
      return { state: 'done', evidence };
    },

    async verify(scope): Promise<Residue> {
      const stored = await readKeys(scope.keys(), scope.signal);
      const remaining: Record<string, number> = {};
      for (const search of await searches(scope.signal)) {
        const { name, keep } = search.collection;
        if (keep !== undefined) continue;
        const own = stored.get(name) ?? new Map();
        const identities = unique([...scope.identities, ...[...own.values()].flat()]);
        let left = 0;
        for await (const _ of findDocuments(identities, search)) left += 1;
        remaining[name] = left;
      }
      return { remaining, retained: await retained(scope) };
    },

    close: async () => client.close(),
  };
}

function identitiesOf({ identities: fields }: DocumentCollection, { identities }: Scope) {
  const types = new Set(fields.map(({ type }) => type));
  return identities.filter(({ type }) => types.has(type));
}

function unique(identities: Scope['identities']): Scope['identities'] {
  return [...new Map(identities.map((one) => [JSON.stringify([one.type, one.value]), one])).values()];
}
