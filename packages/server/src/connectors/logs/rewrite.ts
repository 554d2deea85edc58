import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { HabeasError } from '../../foundation/index.ts';
import { bytesOf } from '../byte-text.ts';
import { type Edit, edited, type Filler, fillerBytes } from './edit.ts';
import { type LogFile, textFrom } from './log-file.ts';
import { packed } from './packed.ts';
import type { Span } from './scan-lines.ts';
import { unfinishedName } from './unfinished.ts';

/**
 * Writes the file anew beside itself and puts it in its place when it is complete, in the same packing, with the same owner, rights and
 * time. Throws SYSTEM_FAILED, with the old file in its place, if it was changed or replaced meanwhile.
 */
export async function rewriteLog(
  path: string,
  file: LogFile,
  change: {
    readonly edits: readonly Edit[];
    readonly signal: AbortSignal;
    readonly idempotencyKey: string;
  },
): Promise<void> {
  using unfinished = unfinishedName(path, change.idempotencyKey);
  const beside = bytesOf(unfinished.path);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const made = await open(beside, flags, file.stat.mode & 0o7777);
  try {
    try {
      await made.chown(file.stat.uid, file.stat.gid);
      await made.chmod(file.stat.mode & 0o7777);
      for await (const part of packed(file.packing, edited(textFrom(file, change.signal), change.edits)))
        await writeAll(made, part);
      await made.utimes(file.stat.atime, file.stat.mtime);
      await made.sync();
    } finally {
      await made.close();
    }
    change.signal.throwIfAborted();
    await refuseChanged(path, file);
    await rename(beside, bytesOf(path));
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/**
 * Overwrites the bytes where they lie, so that a process that writes to the file keeps its handle and loses no line: nothing moves, and
 * the file becomes neither longer nor shorter. What tells that the line is the person's is overwritten last, so that a retry finds what a
 * crash left.
 */
export async function overwriteLog(
  file: LogFile,
  edits: readonly Edit[],
  signs: readonly Edit[],
): Promise<void> {
  for (const group of [edits, signs]) {
    if (group.length === 0) continue;
    for (const { from, to, filler } of group)
      await writeFiller(file.handle, { from, to, filler: filler ?? 'spaces' });
    await file.handle.datasync();
  }
}

const FILLER_BYTES = 1 << 20;

async function writeFiller(
  handle: FileHandle,
  { from, to, filler }: Span & { readonly filler: Filler },
): Promise<void> {
  for (let at = from; at < to; at += FILLER_BYTES) {
    const bytes = fillerBytes(
      at > from && filler === 'null' ? 'spaces' : filler,
      Math.min(FILLER_BYTES, to - at),
    );
    for (let done = 0; done < bytes.length; )
      done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

/** Writes all of it, however little the system takes at once. */
export async function writeAll(handle: FileHandle, part: Buffer): Promise<void> {
  for (let done = 0; done < part.length; ) done += (await handle.write(part, done)).bytesWritten;
}

async function refuseChanged(path: string, file: LogFile): Promise<void> {
  const now = await file.handle.stat();
  const there = await lstat(bytesOf(path)).catch(() => undefined);
  const isSame =
    there?.ino === file.stat.ino &&
    there.dev === file.stat.dev &&
    now.size === file.stat.size &&
    now.mtimeMs === file.stat.mtimeMs;
  if (isSame) return;
  throw new HabeasError(
    'SYSTEM_FAILED',
    'A log was written to or replaced while it was rewritten; it was left as it is. If a process still writes to it, name it under `live`.',
    { retryable: true },
  );
}
