import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { bucketOf, openS3Object, type RandomAccess } from '../connectors/index.ts';
import { HabeasError, loadConfig, systemClock } from '../foundation/index.ts';
import type { CliContext } from './context.ts';

/** A list on disk or in a bucket. */
export interface ListSource extends AsyncDisposable {
  /** Names the list, if nobody does. */
  readonly name: string;
  readonly access: RandomAccess;
}

const S3 = /^s3:\/\/([^/]+)\/(.+)$/;
const CHUNK_BYTES = 4 * 1_024 * 1_024;

/**
 * Opens a path, or `s3://bucket/key` by the connection of the configuration that has this bucket: no other one is reached. Throws BAD_INPUT for what
 * cannot be read, and NOT_FOUND where no connection has the bucket.
 */
export async function openListSource(
  context: CliContext,
  list: string,
  { config }: { readonly config?: string | undefined },
): Promise<ListSource> {
  const [, bucket, object] = S3.exec(list) ?? [];
  if (bucket !== undefined && object !== undefined) return openObject(context, { bucket, object, config });
  let handle: FileHandle;
  try {
    // A pipe that nobody writes to would be waited for, and could not even be interrupted.
    handle = await open(resolve(context.folder, list), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${list} cannot be read.`, { cause, place: { file: list } });
  }
  const about = await handle.stat();
  if (!about.isFile()) {
    await handle.close();
    // Of a pipe nobody can tell how long it is, and nothing of it can be read twice.
    throw new HabeasError('BAD_INPUT', `${list} is no file. Write the list to one, and name that.`, {
      place: { file: list },
    });
  }
  const { size } = about;
  return {
    name: list.split('/').at(-1) ?? list,
    access: { size, read: (offset, length) => readExactly(handle, { list, offset, length }) },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** All its bytes, in order. */
export async function* chunksOf({ size, read }: RandomAccess): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < size; at += CHUNK_BYTES) yield await read(at, Math.min(CHUNK_BYTES, size - at));
}

/** What a list begins with that is none of text, or not in UTF-8. */
const BEGINNINGS: readonly (readonly [bytes: string, words: string])[] = [
  ['1f8b', 'is compressed (gzip). Unpack it first.'],
  ['28b52ffd', 'is compressed (Zstandard). Unpack it first.'],
  ['425a68', 'is compressed (bzip2). Unpack it first.'],
  ['fd377a58', 'is compressed (xz). Unpack it first.'],
  ['504b0304', 'is a zip file, as spreadsheets are. Save the list as CSV in UTF-8.'],
  ['fffe', 'is in UTF-16. Save it in UTF-8.'],
  ['feff', 'is in UTF-16. Save it in UTF-8.'],
  ['50415231', 'is a Parquet file. Add --format parquet.'],
];

/** Throws BAD_INPUT for a list of which each row would be refused, because it is something else than it was taken for. */
export async function requirePlain(
  { access }: Pick<ListSource, 'access'>,
  { list, format }: { readonly list: string; readonly format: string },
): Promise<void> {
  if (format === 'parquet') return;
  const bytes = await access.read(0, Math.min(4, access.size));
  const start = Buffer.from(bytes).toString('hex');
  const found = BEGINNINGS.find(([beginning]) => start.startsWith(beginning));
  if (found !== undefined)
    throw new HabeasError('BAD_INPUT', `${list} ${found[1]}`, { place: { file: list } });
}

async function openObject(
  { folder, environment, signal }: CliContext,
  {
    bucket,
    object,
    config: file,
  }: { readonly bucket: string; readonly object: string; readonly config?: string | undefined },
): Promise<ListSource> {
  const config = loadConfig({ file, folder, environment, only: ['connections'] });
  const found = config.connections
    .filter(({ kind }) => kind === 's3')
    .map(({ key, url, options = {} }) => ({ key, url, options, folder: config.folder, clock: systemClock }))
    .find((settings) => bucketOf(settings) === bucket);
  if (found === undefined)
    throw new HabeasError(
      'NOT_FOUND',
      `No connection of the configuration has the bucket ${bucket}. Add one of the kind s3 (docs/connect-s3.md).`,
    );
  return {
    name: object.split('/').at(-1) ?? object,
    access: await openS3Object({ settings: found, object, signal }),
    async [Symbol.asyncDispose]() {
      // Nothing stays open between two calls.
    },
  };
}

async function readExactly(
  handle: FileHandle,
  { list, offset, length }: { readonly list: string; readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) throw new HabeasError('BAD_INPUT', `${list} became shorter while it was read.`);
    at += bytesRead;
  }
  return bytes;
}
