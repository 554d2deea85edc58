import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

const RETRY_MILLISECONDS = 20;
const SQLITE_BUSY = 5;

/**
 * Runs `work` while nobody else, in this process or another, does so on the same folder. The lock is the file lock of an
 * empty SQLite database, because the system lets go of it when its owner dies, however that happens.
 */
export async function withFolderLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  using lock = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  while (!tryLock(lock)) await delay(RETRY_MILLISECONDS);
  return await work();
}

function tryLock(lock: DatabaseSync): boolean {
  try {
    lock.exec('begin exclusive');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
