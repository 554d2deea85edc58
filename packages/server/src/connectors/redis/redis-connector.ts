import { HabeasError } from '../../foundation/index.ts';
import { bytesOf } from '../byte-text.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type {
  CollectStep,
  Connector,
  EraseMode,
  KeyBatch,
  LocatedScope,
  Outcome,
  Residue,
  Retained,
  Scope,
} from '../connector.ts';
import { inBatches } from '../key-batches.ts';
import { logicalEffects } from '../logical-effects.ts';
import { retainedOf } from '../retained-by.ts';
import { usableCollections } from '../usable-collections.ts';
import { compileRedis, type RedisCollection } from './compile-redis.ts';
import { type Element, findElements, kindOf } from './find-elements.ts';
import { missingRights } from './missing-rights.ts';
import { readElement } from './read-element.ts';
import { createRedisClient, type RedisClient } from './redis-client.ts';
import { ENTRIES, residualsOf } from './residuals.ts';

const KEY_COLUMNS = ['key', 'kind', 'name'];

/** Acts on the keys of a Redis server, or of one that speaks its protocol. `url`: `redis://user:password@host:6379/0`. */
export function createRedisConnector(settings: ConnectionSettings): Connector {
  const { key, clock } = settings;
  const client = createRedisClient({ url: settings.url, key });
  const compiled = () => compileRedis({ ...settings, now: clock.now() });
  const usable = () => usableCollections(key, compiled());
  const find = (collection: RedisCollection, { identities, signal }: Scope) =>
    findElements(collection, { client, identities, signal });

  const retained = async (scope: Scope): Promise<readonly Retained[]> => {
    const kept: Retained[] = [];
    for (const collection of usable()) {
      if (collection.keep === undefined) continue;
      let count = 0;
      for await (const _ of find(collection, scope)) count += 1;
      if (count > 0) kept.push(retainedOf(collection.name, count, collection.keep));
    }
    return kept;
  };

  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),

    async check() {
      const signal = AbortSignal.timeout(10_000);
      try {
        const { collections, problems } = compiled();
        if (problems.length > 0)
          return { ok: false, message: `The datasets of ${key} have to be corrected.`, problems };
        await client.ask(['PING'], signal);
        const role = await client.ask(['INFO', 'replication'], signal);
        if (/role:slave/.test(String(role)))
          return {
            ok: false,
            message: `Redis of ${key} is a read replica: give \`url\` the address of its primary.`,
            problems: [],
          };
        const missing = await missingRights(client, collections, signal);
        if (missing.length > 0)
          return { ok: false, message: `The user of ${key} lacks rights.`, problems: missing };
        return {
          ok: true,
          message: `Redis of ${key} answers; ${collections.length} collections.`,
          problems: [],
        };
      } catch (error) {
        if (signal.aborted)
          return { ok: false, message: `Redis of ${key} does not answer within 10 s.`, problems: [] };
        const known = HabeasError.from(error);
        return { ok: false, message: known.message, problems: known.details };
      }
    },

    async *locate(scope): AsyncGenerator<KeyBatch> {
      for (const collection of usable()) {
        if (collection.keep !== undefined) continue;
        yield* inBatches(collection.name, KEY_COLUMNS, storedForms(find(collection, scope)));
      }
    },

    async *collect(scope): AsyncGenerator<CollectStep> {
      const counts: Record<string, number> = {};
      const notes: string[] = [];
      for (const collection of usable()) {
        let endless = 0;
        for await (const element of find(collection, scope)) {
          let isThere = false;
          for await (const row of readElement(element, { client, signal: scope.signal, now: clock.now() })) {
            if (!isThere && element.kind === 'key' && row.expires_at === null) endless += 1;
            isThere = true;
            yield { state: 'item', item: { collection: collection.name, row } };
          }
          if (isThere) counts[collection.name] = (counts[collection.name] ?? 0) + 1;
        }
        if (endless > 0)
          notes.push(
            `${endless} keys of ${collection.name} have no time to live: they stay until somebody removes them.`,
          );
      }
      const matched = Object.keys(counts).length > 0;
      yield { state: 'done', evidence: { matched, counts, retained: [], residuals: [], notes } };
    },

    async erase(scope, mode): Promise<Outcome> {
      const usableNames = new Set(usable().flatMap(({ name, keep }) => (keep === undefined ? [name] : [])));
      const counts: Record<string, number> = {};
      let entries = 0;
      const isGone = mode === 'erase' && scope.unanswered === true;
      const counted = new Set<string>();
      for await (const { collection, keys } of scope.keys()) {
        scope.signal.throwIfAborted();
        if (!usableNames.has(collection)) continue;
        const fresh = keys.filter((text) => !counted.has(text));
        for (const text of fresh) counted.add(text);
        const removed = await Promise.all(
          fresh.map(async (text) => {
            const element = fromStoredForm(text);
            const there = await remove(client, element, { mode, signal: scope.signal });
            const one = isGone ? 1 : there;
            if (element.kind === 'stream') entries += one;
            return one;
          }),
        );
        const count = removed.reduce<number>((total, one) => total + one, 0);
        if (count > 0) counts[collection] = (counts[collection] ?? 0) + count;
      }
      const kept = await retained(scope);
      const erased = Object.values(counts).reduce((total, count) => total + count, 0);
      const residuals =
        erased === 0 || mode === 'dry-run'
          ? []
          : [
              ...(await residualsOf(client, { now: clock.now(), erased, signal: scope.signal })),
              ...(entries > 0 ? [ENTRIES] : []),
            ];
      return {
        state: 'done',
        evidence: {
          matched: erased + kept.length > 0,
          counts,
          retained: kept,
          residuals,
          notes: [],
          effects: logicalEffects(counts, kept, mode),
        },
      };
    },

    async verify(scope): Promise<Residue> {
      const remaining: Record<string, number> = {};
      const stored = await storedElements(scope);
      for (const collection of usable()) {
        if (collection.keep !== undefined) continue;
        const left = new Set<string>();
        for await (const element of find(collection, scope)) left.add(storedForm(element));
        for (const text of stored.get(collection.name) ?? []) {
          if (left.has(text)) continue;
          const there = await remove(client, fromStoredForm(text), { mode: 'dry-run', signal: scope.signal });
          if (there > 0) left.add(text);
        }
        remaining[collection.name] = left.size;
      }
      return { remaining, retained: await retained(scope) };
    },

    close: () => client.close(),
  };
}

const REMOVES = {
  hash: { has: 'HEXISTS', remove: 'HDEL' },
  set: { has: 'SISMEMBER', remove: 'SREM' },
  zset: { has: 'ZSCORE', remove: 'ZREM' },
} as const;

/** Removes exactly this, and gives 1 if it was there. A key that has become another type has nothing of it any more. */
async function remove(
  client: RedisClient,
  element: Element,
  { mode, signal }: { readonly mode: EraseMode; readonly signal: AbortSignal },
): Promise<0 | 1> {
  const at = bytesOf(element.key);
  const dry = mode === 'dry-run';
  const some = async (...command: (string | Buffer)[]): Promise<0 | 1> => {
    const reply = await client.ask(command, signal);
    return reply === null || reply === 0 || (Array.isArray(reply) && reply.length === 0) ? 0 : 1;
  };
  if (element.kind === 'key') return some(dry ? 'EXISTS' : 'UNLINK', at);
  if ((await kindOf(element.key, { client, signal })) !== element.kind) return 0;
  const name = bytesOf(element.name);
  if (element.kind === 'list') {
    // As a list, because the first place is 0.
    return dry ? some('LPOS', at, name, 'COUNT', '1') : some('LREM', at, '0', name);
  }
  if (element.kind === 'stream') return dry ? some('XRANGE', at, name, name) : some('XDEL', at, name);
  return some(REMOVES[element.kind][dry ? 'has' : 'remove'], at, name);
}

function storedForm(element: Element): string {
  return JSON.stringify(
    element.kind === 'key' ? [element.key, element.kind] : [element.key, element.kind, element.name],
  );
}

async function* storedForms(elements: AsyncIterable<Element>): AsyncGenerator<string> {
  for await (const element of elements) yield storedForm(element);
}

function fromStoredForm(text: string): Element {
  const [key, kind, name]: [string, Element['kind'], string?] = JSON.parse(text);
  return kind === 'key' ? { key, kind } : { key, kind, name: name ?? '' };
}

async function storedElements(scope: LocatedScope): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const stored = new Map<string, Set<string>>();
  for await (const { collection, keys } of scope.keys()) {
    const own = stored.get(collection) ?? new Set<string>();
    stored.set(collection, own);
    for (const text of keys) own.add(text);
  }
  return stored;
}
