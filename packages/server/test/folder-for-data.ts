import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Files in memory, where Linux has them. Of a new database there are a thousand, which cost a disk seven times the CPU. */
export const MEMORY = '/dev/shm';
/** What must be free of it, and of memory, in bytes: the largest tests write a few gigabytes. */
const AMPLE = 8 * 2 ** 30;

/** Where the data of a server of tests lies: in memory where there is enough of it, otherwise with other temporary files. */
export function folderForData(): string {
  try {
    accessSync(MEMORY, constants.W_OK);
  } catch {
    return tmpdir();
  }
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= AMPLE && process.availableMemory() >= AMPLE ? MEMORY : tmpdir();
}
