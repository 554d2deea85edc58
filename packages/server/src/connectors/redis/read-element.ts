import { bytesOf } from '../byte-text.ts';
import {
  chunksOfList,
  type Element,
  entriesOf,
  kindOf,
  pairsOf,
  STEP,
  scan,
  textsOf,
} from './find-elements.ts';
import type { RedisClient } from './redis-client.ts';
import { readable, readableName } from './redis-values.ts';

interface ReadOptions {
  readonly client: RedisClient;
  readonly signal: AbortSignal;
  readonly now: Date;
}

type Row = Readonly<Record<string, unknown>>;

/** Texts are read and handed over in parts of this size, so that none is in memory as a whole. */
const PART_BYTES = 256 * 1_024;

/**
 * What a person is given of an element: one row, or one for each part where a key has more than a thousand elements or a text is
 * longer than 256 KiB. Nothing, if it is gone meanwhile.
 */
export async function* readElement(element: Element, options: ReadOptions): AsyncGenerator<Row> {
  const key = readable(bytesOf(element.key));
  if (element.kind !== 'key') {
    yield* readPart(element, key, options);
    return;
  }
  const kind = await kindOf(element.key, options);
  const expires = await expiryOf(element.key, options);
  const head = { key, ...expires };
  let part = 0;
  let last: unknown;
  for await (const value of valuesOf(element.key, kind, options)) {
    if (part > 0) yield { ...head, part, value: last };
    part += 1;
    last = value;
  }
  if (part === 1) yield { ...head, value: last };
  else if (part > 1) yield { ...head, part, value: last };
}

async function* readPart(
  element: Exclude<Element, { kind: 'key' }>,
  key: unknown,
  { client, signal }: ReadOptions,
): AsyncGenerator<Row> {
  const [at, name] = [bytesOf(element.key), bytesOf(element.name)];
  switch (element.kind) {
    case 'hash': {
      const value = await client.ask(['HGET', at, name], signal);
      if (Buffer.isBuffer(value)) yield { key, field: readable(name), value: readable(value) };
      return;
    }
    case 'zset': {
      const score = await client.ask(['ZSCORE', at, name], signal);
      if (score !== null) yield { key, member: readable(name), score: String(score) };
      return;
    }
    case 'set':
    case 'list':
      yield { key, member: readable(name) };
      return;
    case 'stream': {
      const reply = await client.ask(['XRANGE', at, element.name, element.name], signal);
      const [entry] = Array.isArray(reply) ? reply : [];
      const [, fields] = Array.isArray(entry) ? entry : [];
      if (fields !== undefined) yield { key, id: element.name, fields: objectOf(pairsOf(textsOf(fields))) };
      return;
    }
    default:
      element.kind satisfies never;
  }
}

/** The value of a key in parts. */
async function* valuesOf(key: string, kind: string, options: ReadOptions): AsyncGenerator<unknown> {
  const { client, signal } = options;
  const at = bytesOf(key);
  const steps = (command: string) =>
    scan(client, { command: [command, at], options: ['COUNT', String(STEP)], signal });
  switch (kind) {
    case 'string':
      yield* textOf(at, options);
      return;
    case 'hash':
      for await (const reply of steps('HSCAN')) yield objectOf(pairsOf(textsOf(reply)));
      return;
    case 'set':
      for await (const reply of steps('SSCAN')) yield textsOf(reply).map(readableText);
      return;
    case 'zset':
      for await (const reply of steps('ZSCAN'))
        yield pairsOf(textsOf(reply)).map(([member, score]) => ({ member: readableText(member), score }));
      return;
    case 'list':
      for await (const chunk of chunksOfList(key, options)) yield chunk.map(readableText);
      return;
    case 'stream': {
      let entries: unknown[] = [];
      for await (const { id, fields } of entriesOf(key, options)) {
        if (entries.length === STEP) {
          yield entries;
          entries = [];
        }
        entries.push({ id, fields: objectOf(fields) });
      }
      yield entries;
      return;
    }
    case 'none':
      return;
    default: {
      // A type of a module: as Redis itself would carry it to another server.
      const bytes = await client.ask(['DUMP', at], signal);
      if (Buffer.isBuffer(bytes)) yield { type: kind, dump: bytes.toString('base64') };
    }
  }
}

async function* textOf(at: Buffer, { client, signal }: ReadOptions): AsyncGenerator<unknown> {
  for (let from = 0; ; from += PART_BYTES) {
    const reply = await client.ask(['GETRANGE', at, String(from), String(from + PART_BYTES - 1)], signal);
    const bytes = Buffer.isBuffer(reply) ? reply : Buffer.alloc(0);
    if (bytes.length > 0 || from === 0) yield readable(bytes);
    if (bytes.length < PART_BYTES) return;
  }
}

async function expiryOf(key: string, { client, signal, now }: ReadOptions): Promise<Row> {
  const left = Number(await client.ask(['PTTL', bytesOf(key)], signal));
  return { expires_at: left < 0 ? null : new Date(now.getTime() + left).toISOString() };
}

function readableText(text: string): unknown {
  return readable(bytesOf(text));
}

function objectOf(pairs: readonly (readonly [string, string])[]): Row {
  return Object.fromEntries(
    pairs.map(([name, value]) => [readableName(bytesOf(name)), readableText(value)] as const),
  );
}
