import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HabeasError, syncFolder } from '../../foundation/index.ts';
import type { PackageRef, PackageStorage } from './storage.ts';

const PART_BYTES = 8 * 1024 * 1024;

/** Keeps packages in a folder, `<organization>/<package>/<part>`. Where several servers work, it has to be one that all of them see. */
export function createDiskStorage(folder: string): PackageStorage {
  const folderOf = (ref: PackageRef): string => join(folder, safe(ref.organizationId), safe(ref.packageId));
  let made: Promise<unknown> | undefined;
  /** The folder is made once; one that is missing later is a disk that is missing, and nothing must be put in its place. */
  const explained = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    try {
      made ??= mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      await made;
      await stat(folder);
      return await act();
    } catch (cause) {
      throw explain(folder, cause);
    }
  };
  return {
    kind: 'disk',
    partBytes: PART_BYTES,
    put: (ref, position, bytes) =>
      explained(async () => {
        const place = folderOf(ref);
        await mkdir(place, { recursive: true, mode: 0o700 });
        const file = join(place, partName(position));
        const part = `${file}.part`;
        const handle = await open(part, 'w', 0o600);
        try {
          await handle.writeFile(bytes);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(part, file);
        // The name is durable with the folder that holds it; a folder is durable with the one above it.
        await syncFolder(place);
        if (position === 0) {
          await syncFolder(join(place, '..'));
          await syncFolder(folder);
        }
      }),
    get: (ref, position) =>
      explained(async () => {
        try {
          return await readFile(join(folderOf(ref), partName(position)));
        } catch (cause) {
          if (!isMissing(cause)) throw cause;
          throw new HabeasError('SYSTEM_GARBAGE', 'A part of a package is gone.', { cause });
        }
      }),
    remove: (ref) =>
      explained(async () => {
        await rm(folderOf(ref), { recursive: true, force: true });
        const above = join(folder, safe(ref.organizationId));
        if (await exists(above)) await syncFolder(above);
      }),
    async *list(organizationId) {
      const found = await explained(async () => {
        const above = join(folder, safe(organizationId));
        if (!(await exists(above))) return [];
        const names = await readdir(above);
        return Promise.all(
          names.map(async (name) => ({ packageId: name, modifiedAt: (await stat(join(above, name))).mtime })),
        );
      });
      yield* found;
    },
    close: () => undefined,
  };
}

function explain(folder: string, cause: unknown): HabeasError {
  if (cause instanceof HabeasError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no code';
  return new HabeasError(
    'STORAGE_UNREACHABLE',
    `The folder of packages ${folder} cannot be used now (${code}). Check that its disk is there, is not full, and that Habeas may write to it.`,
    { cause, retryable: true },
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function partName(position: number): string {
  return String(position).padStart(8, '0');
}

/** Ids are ours; whatever else comes here must not lead out of the folder. */
function safe(id: string): string {
  if (/^[a-z0-9][a-z0-9_-]*$/i.test(id)) return id;
  throw new HabeasError('INTERNAL', 'An id does not fit into a path.');
}
