import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { api } from '@habeas/contract';
import { HabeasError, syncFolder } from '../foundation/index.ts';
import { notWritten } from './not-written.ts';

export interface ConsentExportToSave {
  /** The bytes as they come. */
  readonly body: Response['body'];
  /** Asks for the manifest, which is there when all bytes are. */
  readonly manifest: () => Promise<api.ConsentExport>;
  readonly file: string;
}

const OF_FILES = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'ENOENT', 'EISDIR', 'ENOTDIR']);
const OURS = { mode: 0o600, flags: 'wx' };

/**
 * Saves an export and its manifest, which only their owner may read, in place of those that were there: these stay as they are, and of use, until the new ones
 * are whole and on the disk. Throws SYSTEM_GARBAGE for a file that is not the one of the manifest, SERVER_UNREACHABLE for one that breaks off, and BAD_INPUT
 * where nothing can be written.
 */
export async function saveConsentExport({
  body,
  manifest,
  file,
}: ConsentExportToSave): Promise<api.ConsentExport> {
  const end = `${randomBytes(4).toString('hex')}.part`;
  const parts = { file: `${file}.${end}`, manifest: `${file}.manifest.json.${end}` };
  const hash = createHash('sha256');
  const note = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const taken = createWriteStream(parts.file, { ...OURS, flush: true });
    await pipeline(Readable.from(body ?? []), note, taken).catch((cause: unknown) => {
      throw isOfSystem(cause) ? cause : brokenOff(cause);
    });
    const signed = await manifest();
    if (hash.digest('hex') !== signed.manifest.file.sha256)
      throw new HabeasError('SYSTEM_GARBAGE', 'The export did not arrive as it was made. Export it again.');
    await write(parts.manifest, `${JSON.stringify(signed, null, 2)}\n`);
    await rename(parts.file, file);
    await rename(parts.manifest, `${file}.manifest.json`);
    await syncFolder(dirname(file));
    return signed;
  } catch (error) {
    await rm(parts.file, { force: true });
    await rm(parts.manifest, { force: true });
    throw isOfFiles(error) ? notWritten(file, error) : error;
  }
}

async function write(path: string, text: string): Promise<void> {
  const handle = await open(path, OURS.flags, OURS.mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function brokenOff(cause: unknown): HabeasError {
  const words = 'The server ended the export before its end; its log says why. Export it again.';
  return new HabeasError('SERVER_UNREACHABLE', words, { cause, retryable: true });
}

/** And not of the connection over which the bytes came. */
function isOfFiles(error: unknown): boolean {
  return isOfSystem(error) && OF_FILES.has(error.code);
}

/** Such as of a disk; `fetch` has errors without a code where its connection ends. */
function isOfSystem(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
