import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JobOutput } from '../consent/index.ts';
import { HabeasError, syncFolder } from '../foundation/index.ts';
import { notWritten } from './not-written.ts';
import type { Terminal } from './terminal.ts';

/** Rows for whoever reads standard output; what was written there cannot be taken back. Throws BAD_INPUT if it cannot be written. */
export function toTerminal(terminal: Terminal): JobOutput {
  return {
    async write(text) {
      try {
        await terminal.pour(text);
      } catch (cause) {
        throw notWritten('Standard output', cause);
      }
    },
    finish: async () => undefined,
    publish: async () => undefined,
    discard: async () => undefined,
  };
}

/**
 * Rows for a file, in place of what was there: until they are published they lie beside it, in `<file>.<random>.part`. What is no file, such as
 * a pipe or a device, takes them as they come. Every step throws BAD_INPUT for a file that cannot be written.
 */
export async function toFile(given: string): Promise<JobOutput> {
  const explained = async <Result>(act: () => Promise<Result>, more = '') => {
    try {
      return await act();
    } catch (cause) {
      if (cause instanceof HabeasError) throw cause;
      throw notWritten(given, cause, more);
    }
  };
  const { path, was } = await explained(() => find(given));
  if (was !== undefined && !was.isFile()) return explained(() => toDevice(path, explained));
  const part = `${path}.${randomBytes(4).toString('hex')}.part`;
  // Who could not read the file before cannot read it afterwards.
  const handle = await explained(() => open(part, 'wx', was?.mode ?? 0o666));
  if (was !== undefined) await explained(() => handle.chmod(was.mode & 0o7777));
  return {
    write: (text) => explained(() => handle.appendFile(text)),
    finish: () =>
      explained(async () => {
        await handle.sync();
        await handle.close();
      }),
    publish: () =>
      explained(async () => {
        await rename(part, path);
        await syncFolder(dirname(path));
      }, ` The job has run and is noted, and its rows are in ${part}: move them to where you want them.`),
    discard: async () => {
      await handle.close();
      await rm(part, { force: true });
    },
  };
}

async function toDevice(
  path: string,
  explained: <R>(act: () => Promise<R>) => Promise<R>,
): Promise<JobOutput> {
  const handle: FileHandle = await open(path, constants.O_WRONLY);
  return {
    write: (text) => explained(() => handle.appendFile(text)),
    finish: () => explained(() => handle.close()),
    publish: async () => undefined,
    discard: () => handle.close(),
  };
}

/** The file itself where a link was named. */
async function find(path: string) {
  try {
    const real = await realpath(path);
    return { path: real, was: await stat(real) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { path, was: undefined };
  }
}
