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

/**
 * Streams the package of a request to a file that only its owner may read. The file appears when it is complete and
 * its SHA-256 is the one that the server told; before that there is only `<file>.part`.
 */
export async function savePackage(
  client: ApiClient,
  request: api.RequestView,
  file: string,
): Promise<SavedPackage> {
  if (request.package === null) {
    throw new HabeasError(
      'CONFLICT',
      `Request ${request.id} is ${request.state} and has no package to save.`,
    );
  }
  const response = await client.openPackage(request.id);
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
    await pipeline(Readable.from(response.body ?? []), count, createWriteStream(part, { mode: 0o600 }));
    if (hash.digest('hex') !== request.package.sha256) {
      throw new HabeasError('SYSTEM_GARBAGE', 'The package did not arrive as it was built. Fetch it again.');
    }
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return { file, bytes };
}
