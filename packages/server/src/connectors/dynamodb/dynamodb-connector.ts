import type { Identity } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { awsAccount } from '../aws-account.ts';
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
import { readKeys, type StoredObjects, storedForm } from '../objects/object-keys.ts';
import { createRowSearch, type RowSearch } from '../objects/row-search.ts';
import { soughtRows } from '../objects/sought-rows.ts';
import { retainedOf } from '../retained-by.ts';
import { usableCollections } from '../usable-collections.ts';
import { type AttributeMap, plainItem, plainValue } from './attribute-values.ts';
import { compileDynamoDb, type ItemCollection } from './compile-dynamodb.ts';
import { createDynamoDb } from './dynamodb-calls.ts';
import { deleteItems, type FindItems, findItems, isTheirs, readItems } from './find-items.ts';
import { expiryAttribute, residualsOf } from './residuals.ts';
import { keyOf, type TableShape, tableShape, wayOf } from './table-shape.ts';

const KEY_COLUMNS = ['key', 'identities'];
const KEYS_AT_ONCE = 100;
const CHECK_MILLISECONDS = 30_000;

/** Acts on the items of DynamoDB. `url`: the service, as `https://dynamodb.eu-central-1.amazonaws.com`. */
export function createDynamoDbConnector(settings: ConnectionSettings): Connector {
  const { key, clock } = settings;
  const client = createDynamoDb({ key, clock, account: awsAccount(settings, 'connect-dynamodb.md').account });
  const compiled = () => compileDynamoDb({ ...settings, now: clock.now() });
  const usable = () => usableCollections(key, compiled());
  const searchOf = async (
    collection: ItemCollection,
    { identities, signal }: Pick<Scope, 'identities' | 'signal'>,
  ): Promise<FindItems> => {
    signal.throwIfAborted();
    const shape = await tableShape(client, collection.table, signal);
    return { client, shape, collection, identities, signal };
  };

  /** Those of the stored items that are still the person's, and how many others have taken such an item's place. */
  async function* storedItems(
    search: FindItems,
    stored: StoredObjects,
  ): AsyncGenerator<{ readonly theirs: readonly AttributeMap[]; readonly notTheirs: number }> {
    const { collection, signal } = search;
    const searches = new Map<string, RowSearch>();
    const all = [...stored];
    for (let at = 0; at < all.length; at += KEYS_AT_ONCE) {
      const some = new Map(all.slice(at, at + KEYS_AT_ONCE));
      const keys = [...some.keys()].map((text): AttributeMap => JSON.parse(text));
      const items = await readItems(client, { table: collection.table, keys, signal });
      const theirs = items.filter((item) => {
        const identities = some.get(JSON.stringify(keyOf(item, search.shape))) ?? [];
        return isTheirs(item, remembered(searches, collection, identities));
      });
      yield { theirs, notTheirs: items.length - theirs.length };
    }
  }

  const retained = async (scope: Scope): Promise<readonly Retained[]> => {
    const kept: Retained[] = [];
    for (const collection of usable()) {
      if (collection.keep === undefined) continue;
      let count = 0;
      for await (const _ of findItems(await searchOf(collection, scope))) count += 1;
      if (count > 0) kept.push(retainedOf(collection.name, count, collection.keep));
    }
    return kept;
  };

  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),

    async check() {
      const signal = AbortSignal.timeout(CHECK_MILLISECONDS);
      try {
        const { collections, problems } = compiled();
        const found = [...problems];
        for (const collection of collections) {
          const shape = await tableShape(client, collection.table, signal);
          found.push(...waysMissing(shape, collection));
        }
        return found.length > 0
          ? { ok: false, message: `The datasets of ${key} have to be corrected.`, problems: found }
          : {
              ok: true,
              message: `DynamoDB of ${key} answers; ${collections.length} collections.`,
              problems: [],
            };
      } catch (error) {
        if (signal.aborted)
          return { ok: false, message: `DynamoDB of ${key} does not answer within 30 s.`, problems: [] };
        const known = HabeasError.from(error);
        return { ok: false, message: known.message, problems: known.details };
      }
    },

    async *locate(scope): AsyncGenerator<KeyBatch> {
      for (const collection of usable()) {
        if (collection.keep !== undefined) continue;
        const search = await searchOf(collection, scope);
        const own = identitiesOf(collection, scope.identities);
        const keys = async function* () {
          for await (const item of findItems(search))
            yield storedForm(JSON.stringify(keyOf(item, search.shape)), own);
        };
        yield* inBatches(collection.name, KEY_COLUMNS, keys());
      }
    },

    async *collect(scope): AsyncGenerator<CollectStep> {
      const counts: Record<string, number> = {};
      const notes: string[] = [];
      for (const collection of usable()) {
        const search = await searchOf(collection, scope);
        let endless = 0;
        const expiry = await expiryAttribute(client, collection.table, scope.signal);
        for await (const item of findItems(search)) {
          scope.signal.throwIfAborted();
          counts[collection.name] = (counts[collection.name] ?? 0) + 1;
          const ends = expiry === undefined ? undefined : endOf(item, expiry);
          if (ends === undefined) endless += 1;
          const row = { ...(ends === undefined ? {} : { expires_at: ends }), ...plainItem(item) };
          yield { state: 'item', item: { collection: collection.name, row } };
        }
        if (endless > 0)
          notes.push(
            `${endless} items of ${collection.name} have no time to live: they stay until somebody removes them.`,
          );
      }
      const matched = Object.keys(counts).length > 0;
      yield { state: 'done', evidence: { matched, counts, retained: [], residuals: [], notes } };
    },

    async erase(scope, mode): Promise<Outcome> {
      const stored = await readKeys(scope.keys(), scope.signal);
      const counts: Record<string, number> = {};
      const effects: Record<string, Effect> = {};
      const residuals: Residual[] = [];
      for (const collection of usable()) {
        const { name, table } = collection;
        const own = stored.get(name);
        if (own === undefined || collection.keep !== undefined) continue;
        const search = await searchOf(collection, scope);
        let found = 0;
        let others = 0;
        for await (const { theirs, notTheirs } of storedItems(search, own)) {
          found += theirs.length;
          others += notTheirs;
          const keys = theirs.map((item) => keyOf(item, search.shape));
          if (mode === 'erase') await deleteItems(client, { table, keys, signal: scope.signal });
        }
        if (mode === 'erase' && scope.unanswered === true) found = own.size - others;
        if (found === 0) continue;
        counts[name] = found;
        effects[name] = { found, erased: mode === 'erase' ? found : 0, masked: 0, kept: 0, level: 'logical' };
        if (mode === 'erase')
          residuals.push(
            ...(await residualsOf(client, {
              table,
              shape: search.shape,
              now: clock.now(),
              signal: scope.signal,
            })),
          );
      }
      const kept = await retained(scope);
      for (const { collection, count } of kept)
        effects[collection] = { found: count, erased: 0, masked: 0, kept: count, level: 'logical' };
      const matched = Object.keys(effects).length > 0;
      return {
        state: 'done',
        evidence: { matched, counts, retained: kept, residuals, notes: [], effects },
      };
    },

    async verify(scope): Promise<Residue> {
      const stored = await readKeys(scope.keys(), scope.signal);
      const remaining: Record<string, number> = {};
      for (const collection of usable()) {
        if (collection.keep !== undefined) continue;
        const own: StoredObjects = stored.get(collection.name) ?? new Map();
        const identities = unique([...scope.identities, ...[...own.values()].flat()]);
        const search = await searchOf(collection, { identities, signal: scope.signal });
        const left = new Set<string>();
        const note = (item: AttributeMap) => left.add(JSON.stringify(keyOf(item, search.shape)));
        for await (const item of findItems(search)) note(item);
        // An index may not have what was written a moment ago; the table has.
        for await (const { theirs } of storedItems(search, own)) theirs.forEach(note);
        remaining[collection.name] = left.size;
      }
      return { remaining, retained: await retained(scope) };
    },

    close: async () => client.close(),
  };
}

function waysMissing(shape: TableShape, collection: ItemCollection): readonly string[] {
  return collection.groups
    .map((group) => wayOf(shape, collection, group))
    .filter((way) => typeof way === 'string');
}

function remembered(
  searches: Map<string, RowSearch>,
  collection: ItemCollection,
  identities: readonly Identity[],
): RowSearch {
  const name = JSON.stringify(identities);
  const search = searches.get(name) ?? createRowSearch(soughtRows(collection, identities, 0));
  searches.set(name, search);
  return search;
}

/** When an item ends by itself, from its attribute in seconds. */
function endOf(item: AttributeMap, attribute: string): string | undefined {
  const value = item[attribute];
  const seconds = value === undefined ? undefined : plainValue(value);
  return typeof seconds === 'number' ? new Date(seconds * 1_000).toISOString() : undefined;
}

function identitiesOf(collection: ItemCollection, identities: readonly Identity[]): readonly Identity[] {
  const types = new Set(collection.identities.map(({ type }) => type));
  return identities.filter(({ type }) => types.has(type));
}

function unique(identities: readonly Identity[]): readonly Identity[] {
  return [...new Map(identities.map((one) => [JSON.stringify([one.type, one.value]), one])).values()];
}
