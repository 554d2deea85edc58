import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HabeasError } from '../foundation/errors.ts';

export interface SavedExport {
  readonly bytes: number;
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Streams an export to a file, in place of what was there. The file changes when the export is complete and its SHA-256 is the
 * one that the server told; before that there is only `<file>.part`.
 */
export async function saveExport(response: Response, file: string): Promise<SavedExport> {
  const part = `${file}.part`;
  try {
    const saved = await receive(response, createWriteStream(part));
    await rename(part, file);
    return saved;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Gives an export piece by piece to somebody who reads text. Throws afterwards if it did not arrive as it was made. */
export async function readExport(response: Response, onText: (text: string) => void): Promise<SavedExport> {
  const decoder = new TextDecoder();
  const sink = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onText(decoder.decode(chunk, { stream: true }));
      done();
    },
    flush(done) {
      onText(decoder.decode());
      done();
    },
  });
  return receive(response, sink.resume());
}

async function receive(response: Response, sink: Writable): Promise<SavedExport> {
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(Readable.from(response.body ?? []), count, sink);
  const digest = hash.digest();
  if (response.headers.get('repr-digest') !== `sha-256=:${digest.toString('base64')}:`) {
    throw new HabeasError('SYSTEM_GARBAGE', 'The export did not arrive as it was made. Export it again.');
  }
  return { bytes, sha256: digest.toString('hex') };
}
