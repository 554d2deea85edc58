import { createHash, randomBytes } from 'node:crypto';
import { HabeasError, xmlElements, xmlText } from '../../../foundation/index.ts';
import { headerOf } from '../address-parts.ts';
import { createPartBuffer } from '../part-buffer.ts';
import type { ByteSink } from '../row-format.ts';
import type { Container } from './azure-container.ts';

const LEAST_BLOCK_BYTES = 8 << 20;
const MOST_BLOCKS = 45_000;
const ID_BYTES = 24;
/** Shorter ones could be those of somebody else. */
const LEAST_ID_BYTES = 12;
const NUMBER_BYTES = 4;

export interface UploadOptions {
  readonly container: Container;
  /** The connection, for texts of errors. */
  readonly connection: string;
  readonly key: string;
  /** Of the new blob: type, metadata, tags, tier. */
  readonly properties: Readonly<Record<string, string>>;
  /** It tells the digest of its content. */
  readonly hasDigest: boolean;
  /** Of what it replaces: only that is replaced. */
  readonly etag: string;
  /** About how large it will be, in bytes: there may be 50,000 blocks. */
  readonly size: number;
  readonly signal: AbortSignal;
}

/**
 * Writes a blob in blocks, of which one is in memory. It takes the place of the old one with the list of its blocks, under `If-Match`.
 * Blocks of one that was never finished are part of no blob; the next that is written, or Azure after a week, ends them.
 */
export async function upload(
  options: UploadOptions,
  write: (sink: ByteSink) => Promise<void>,
): Promise<{ readonly id: string | undefined } | undefined> {
  const { container, key, properties, etag, signal } = options;
  const what = 'write a blob anew';
  const ids: string[] = [];
  const digest = createHash('md5');
  let nextId: (() => string) | undefined;
  const putBlock = async (block: Buffer): Promise<void> => {
    nextId ??= await blockIds(options);
    const id = nextId();
    digest.update(block);
    await container.call({
      method: 'PUT',
      what,
      blob: key,
      query: { comp: 'block', blockid: id },
      body: block,
      signal,
    });
    ids.push(id);
  };
  const blockBytes = Math.max(LEAST_BLOCK_BYTES, Math.ceil((options.size * 1.1) / MOST_BLOCKS));
  const buffer = createPartBuffer(blockBytes, putBlock);
  await write(buffer.write);
  signal.throwIfAborted();
  if (!buffer.isWritten()) return undefined;
  const headers = { ...properties, 'if-match': etag };
  if (ids.length === 0) {
    const put = await container.call({
      method: 'PUT',
      what,
      blob: key,
      headers: { ...headers, 'x-ms-blob-type': 'BlockBlob' },
      body: buffer.rest(),
      signal,
    });
    return { id: versionId(put.headers) };
  }
  if (buffer.rest().length > 0) await putBlock(buffer.rest());
  const list = ids.map((id) => `<Uncommitted>${id}</Uncommitted>`).join('');
  const committed = await container.call({
    method: 'PUT',
    what,
    blob: key,
    query: { comp: 'blocklist' },
    headers: {
      ...headers,
      ...(options.hasDigest ? { 'x-ms-blob-content-md5': digest.digest('base64') } : {}),
    },
    body: Buffer.from(`<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`),
    signal,
  });
  return { id: versionId(committed.headers) };
}

function versionId(headers: Parameters<typeof headerOf>[0]): string | undefined {
  const id = headerOf(headers, 'x-ms-version-id');
  return id === undefined ? undefined : `versionid ${id}`;
}

/**
 * Names of blocks that nobody else has. All names of a blob's blocks have to be of one length, those among them that somebody else put and
 * did not finish.
 */
async function blockIds({ container, connection, key, signal }: UploadOptions): Promise<() => string> {
  const reply = await container.call({
    method: 'GET',
    what: 'list the unfinished blocks of a blob',
    blob: key,
    query: { comp: 'blocklist', blocklisttype: 'uncommitted' },
    signal,
  });
  const [other] = [...xmlElements(reply.body.toString(), 'Block')].map((block) => xmlText(block, 'Name'));
  const length = other === undefined ? ID_BYTES : Buffer.from(other, 'base64').length;
  if (length < LEAST_ID_BYTES)
    throw new HabeasError(
      'SYSTEM_FAILED',
      `Somebody is writing a blob of ${connection} in blocks with names of ${length} bytes, beside which no others can be put. It is tried again; unfinished blocks end after a week.`,
      { retryable: true },
    );
  const own = randomBytes(length - NUMBER_BYTES);
  let count = 0;
  return () => {
    const number = Buffer.alloc(NUMBER_BYTES);
    number.writeUInt32BE(count);
    count += 1;
    return Buffer.concat([own, number]).toString('base64');
  };
}
