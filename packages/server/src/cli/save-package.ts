import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { api } from '@habeas/contract';
import { HabeasError } from '../foundation/errors.ts';
import type { ApiClient } from './api-client.ts';

export interface SavedPackage {
  readonly file: string;
  readonly bytes: number;
}

export interface BytesToSave {
  /** The bytes as they come. */
  readonly body: Response['body'];
  /** Of all bytes, as the server told; undefined: a sealed file, which age itself checks when it is opened. */
  readonly sha256: string | undefined;
  readonly file: string;
}

/** Saves the package of a request as zip; see {@link saveBytes}. Throws CONFLICT for a request that has none. */
export async function savePackage(
  client: ApiClient,
  request: api.RequestView,
  file: string,
): Promise<SavedPackage> {
  if (request.package === null)
    throw new HabeasError(
      'CONFLICT',
      `Request ${request.id} is ${request.state} and has no package to save.`,
    );
  const { body } = await client.openPackage(request.id, 'zip');
  return saveBytes({ body, sha256: request.package.sha256, file });
}

/**
 * Streams a package to a file that only its owner may read. The file appears when it is complete and its SHA-256 is the one that the
 * server told; before that there is only `<file>.part`. Throws SYSTEM_GARBAGE for one that was damaged on the way.
 */
export async function saveBytes({ body, sha256, file }: BytesToSave): Promise<SavedPackage> {
  const part = `${file}.part`;
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.from(body ?? []), count, createWriteStream(part, { mode: 0o600 }));
    if (sha256 !== undefined && hash.digest('hex') !== sha256) {
      throw new HabeasError('SYSTEM_GARBAGE', 'The package did not arrive as it was built. Fetch it again.');
    }
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return { file, bytes };
}
