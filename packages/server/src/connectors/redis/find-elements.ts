import type { Identity } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { bytesOf, byteText } from '../byte-text.ts';
import { type RedisCollection, valuesOf } from './compile-redis.ts';
import { type KeySearch, searchFor } from './key-pattern.ts';
import type { RedisClient, Reply } from './redis-client.ts';

/** A key of a person, or what is theirs within it; as byte text. */
export type Element =
  | { readonly key: string; readonly kind: 'key' }
  | {
      readonly key: string;
      readonly kind: 'hash' | 'set' | 'zset' | 'list' | 'stream';
      readonly name: string;
    };

export interface FindOptions {
  readonly client: RedisClient;
  readonly identities: readonly Identity[];
  readonly signal: AbortSignal;
}

/** How many keys or elements are asked for at once. */
export const STEP = 1_000;

/** Everything of a collection that belongs to the person, each once. Streams; asks with SCAN and never with KEYS. */
export async function* findElements(
  collection: RedisCollection,
  options: FindOptions,
): AsyncGenerator<Element> {
  const { within } = collection;
  const values = valuesOf(collection, options.identities);
  const part = within.kind === 'key' ? undefined : searchFor(within.pattern, values);
  if (within.kind !== 'key' && part === undefined) return;
  const seen = new Set<string>();
  for (const pattern of collection.keys) {
    const search = searchFor(pattern, values);
    if (search === undefined) continue;
    for await (const key of keysOf(search, options)) {
      if (seen.has(key)) continue;
      seen.add(key);
      if (part === undefined) yield { key, kind: 'key' };
      else yield* partsOf(key, part, { ...options, collection });
    }
  }
}

async function* keysOf(search: KeySearch, { client, signal }: FindOptions): AsyncGenerator<string> {
  if (search.kind === 'exact') {
    for (const name of search.names)
      if ((await client.ask(['EXISTS', bytesOf(name)], signal)) === 1) yield name;
    return;
  }
  const command = ['MATCH', bytesOf(search.glob), 'COUNT', String(STEP)];
  for await (const reply of scan(client, { command: ['SCAN'], options: command, signal }))
    for (const name of textsOf(reply)) if (search.fits.test(name)) yield name;
}

/** What fits within one key. A step of a scan may give something twice. */
async function* partsOf(
  key: string,
  search: KeySearch,
  options: FindOptions & { readonly collection: RedisCollection },
): AsyncGenerator<Element> {
  const { signal, collection } = options;
  const { within, name: where } = collection;
  const kind = await kindOf(key, options);
  if (kind === 'none') return;
  const fits = (name: string) =>
    search.kind === 'exact' ? search.names.includes(name) : search.fits.test(name);
  if (within.kind === 'entry' && kind === 'stream') {
    for await (const { id, fields } of entriesOf(key, options))
      if (fields.some(([name, value]) => name === byteText(within.field) && fits(value)))
        yield { key, kind, name: id };
    return;
  }
  const isMember = within.kind === 'member' && (kind === 'set' || kind === 'zset' || kind === 'list');
  if (!isMember && !(within.kind === 'field' && kind === 'hash'))
    throw new HabeasError(
      'SCHEMA_MISMATCH',
      `A key of the collection "${where}" is a ${kind}, in which there is no ${within.kind}. Correct the dataset.`,
    );
  const found = new Set<string>();
  for await (const name of namesWithin(key, { ...options, kind, search })) {
    signal.throwIfAborted();
    if (found.has(name) || !fits(name)) continue;
    found.add(name);
    yield { key, kind, name };
  }
}

type Container = 'hash' | 'set' | 'zset' | 'list';

const HAS: Readonly<Record<Exclude<Container, 'list'>, string>> = {
  hash: 'HEXISTS',
  set: 'SISMEMBER',
  zset: 'ZSCORE',
};
const SCANS: Readonly<
  Record<Exclude<Container, 'list'>, { readonly command: string; readonly every: 1 | 2 }>
> = {
  hash: { command: 'HSCAN', every: 2 },
  set: { command: 'SSCAN', every: 1 },
  zset: { command: 'ZSCAN', every: 2 },
};

async function* namesWithin(
  key: string,
  options: FindOptions & { readonly kind: Container; readonly search: KeySearch },
): AsyncGenerator<string> {
  const { client, signal, kind, search } = options;
  if (kind === 'list') {
    for await (const chunk of chunksOfList(key, options)) yield* chunk;
    return;
  }
  if (search.kind === 'exact') {
    for (const name of search.names) {
      const reply = await client.ask([HAS[kind], bytesOf(key), bytesOf(name)], signal);
      if (reply !== null && reply !== 0) yield name;
    }
    return;
  }
  const { command, every } = SCANS[kind];
  const scanned = scan(client, {
    command: [command, bytesOf(key)],
    options: ['MATCH', bytesOf(search.glob), 'COUNT', String(STEP)],
    signal,
  });
  for await (const reply of scanned)
    for (const [index, name] of textsOf(reply).entries()) if (index % every === 0) yield name;
}

/** The steps of a SCAN, HSCAN, SSCAN or ZSCAN. */
export async function* scan(
  client: RedisClient,
  {
    command,
    options,
    signal,
  }: {
    readonly command: readonly (string | Buffer)[];
    readonly options: readonly (string | Buffer)[];
    readonly signal: AbortSignal;
  },
): AsyncGenerator<Reply> {
  let cursor: string | Buffer = '0';
  do {
    const reply = await client.ask([...command, cursor, ...options], signal);
    const [next, found] = Array.isArray(reply) ? reply : [];
    cursor = Buffer.isBuffer(next) ? next : '0';
    yield found ?? [];
  } while (cursor.toString() !== '0');
}

/** The type of a key; `none`: it is not there. */
export async function kindOf(
  key: string,
  { client, signal }: Pick<FindOptions, 'client' | 'signal'>,
): Promise<string> {
  return String(await client.ask(['TYPE', bytesOf(key)], signal));
}

/** The elements of a list, in steps. */
export async function* chunksOfList(
  key: string,
  { client, signal }: Pick<FindOptions, 'client' | 'signal'>,
): AsyncGenerator<readonly string[]> {
  for (let from = 0; ; from += STEP) {
    const reply = await client.ask(['LRANGE', bytesOf(key), String(from), String(from + STEP - 1)], signal);
    const chunk = textsOf(reply);
    if (chunk.length > 0) yield chunk;
    if (chunk.length < STEP) return;
  }
}

export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The entries of a stream, in order. */
export async function* entriesOf(
  key: string,
  { client, signal }: Pick<FindOptions, 'client' | 'signal'>,
): AsyncGenerator<StreamEntry> {
  let from = '-';
  for (;;) {
    const reply = await client.ask(['XRANGE', bytesOf(key), from, '+', 'COUNT', String(STEP)], signal);
    const entries = Array.isArray(reply) ? reply : [];
    for (const entry of entries) {
      const [id, fields] = Array.isArray(entry) ? entry : [];
      const name = String(id ?? '');
      yield { id: name, fields: pairsOf(textsOf(fields ?? [])) };
      from = `(${name}`;
    }
    if (entries.length < STEP) return;
  }
}

export function pairsOf(texts: readonly string[]): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < texts.length; at += 2) pairs.push([texts[at] ?? '', texts[at + 1] ?? '']);
  return pairs;
}

/** The texts of a reply, as byte text. */
export function textsOf(reply: Reply): readonly string[] {
  if (!Array.isArray(reply)) return [];
  return reply.map((one) => (Buffer.isBuffer(one) ? one.toString('latin1') : String(one ?? '')));
}
