import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HabeasError } from '../../foundation/index.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type { Health } from '../connector.ts';

const SAYINGS: Readonly<Record<string, { readonly text: string; readonly retryable: boolean }>> = {
  ENOENT: { text: 'is not there', retryable: true },
  ENOTDIR: { text: 'is no folder', retryable: false },
  EACCES: { text: 'does not let Habeas in: it has to read, write and search its folders', retryable: false },
  EPERM: { text: 'does not let Habeas change a file', retryable: false },
  EROFS: { text: 'cannot be written to', retryable: false },
  ENOSPC: { text: 'has no space left', retryable: true },
  EIO: { text: 'cannot be read: its disk fails', retryable: true },
  EMFILE: { text: 'cannot be read now: too many files are open', retryable: true },
};

/** An error of the file system without the path, which may name a person. */
export function fromFileError(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (error instanceof HabeasError || !('syscall' in error)) return error;
  const known = SAYINGS[error.code];
  return new HabeasError('SYSTEM_FAILED', `${what} ${known?.text ?? `failed (${error.code})`}.`, {
    cause: error,
    retryable: known?.retryable ?? true,
  });
}

/** Whether the file system does not let Habeas do it. */
export function isDenied(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))
  );
}

/** The folder that the address of a connection names: a path, relative to the configuration, or `file:`. */
export function rootOf({ url, folder }: ConnectionSettings): string {
  return url.startsWith('file:') ? fileURLToPath(url) : resolve(folder, url);
}

/** Only Linux opens a file relative to a folder that is held open in a way that Node can reach. */
export function refuseOtherSystems(): void {
  if (process.platform === 'linux') return;
  throw new HabeasError(
    'SYSTEM_REFUSED',
    'Files are acted on where Habeas runs on Linux, because only there it can be sure that no link leads it out of the tree.',
  );
}

/** Whether the folder can be read and written, and what is wrong with the datasets. */
export async function checkFolder(options: {
  /** How messages name it. */
  readonly what: string;
  readonly path: string;
  readonly key: string;
  readonly compiled: () => { readonly collections: readonly unknown[]; readonly problems: readonly string[] };
  /** What this user may not do in it that the collections ask for. */
  readonly lacks: () => Promise<readonly string[]>;
}): Promise<Health> {
  const { what, path, key, compiled, lacks } = options;
  try {
    refuseOtherSystems();
    if (!statSync(path).isDirectory())
      return { ok: false, message: `${what} is no folder; correct \`url\`.`, problems: [] };
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const { collections, problems } = compiled();
    if (problems.length > 0)
      return { ok: false, message: `The datasets of ${key} have to be corrected.`, problems };
    const missing = await lacks();
    if (missing.length > 0)
      return {
        ok: false,
        message: `${what} is there, but this user may not do all that its datasets ask for.`,
        problems: missing,
      };
    return {
      ok: true,
      message: `${what} can be read and written; ${collections.length} collections.`,
      problems: [],
    };
  } catch (error) {
    const known = HabeasError.from(fromFileError(error, what));
    return { ok: false, message: known.message, problems: known.details };
  }
}
