import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { HabeasError } from '../errors.ts';

const POLL_MILLISECONDS = 50;
const SQLITE_BUSY = 5;

/**
 * Runs `act` while no other process holds the same lock file. SQLite takes the lock from the operating system, so it ends
 * with its holder, however the holder ends, and a stale lock cannot exist.
 */
export async function withLock<Result>(
  file: string,
  options: {
    /** Called once when another process holds the lock. */
    readonly onWait: () => void;
    /** Runs before the lock is tried: gives the file to whoever shares it. */
    readonly onOpen?: () => void;
    /** Milliseconds after which EMBEDDED_DATABASE_FAILED is thrown. */
    readonly timeout: number;
  },
  act: () => Promise<Result>,
): Promise<Result> {
  const database = open(file);
  try {
    options.onOpen?.();
    const attempts = Math.ceil(options.timeout / POLL_MILLISECONDS);
    for (let attempt = 0; !tryLock(database, file); attempt += 1) {
      if (attempt === 0) options.onWait();
      if (attempt >= attempts) {
        throw new HabeasError(
          'EMBEDDED_DATABASE_FAILED',
          `Another Habeas process has held ${file} for ${Math.round(options.timeout / 1000)} s. End that process and start again.`,
        );
      }
      await sleep(POLL_MILLISECONDS);
    }
    return await act();
  } finally {
    database.close();
  }
}

function open(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 });
  } catch (cause) {
    throw new HabeasError(
      'EMBEDDED_DATABASE_FAILED',
      `The lock file ${file} cannot be opened. Make its folder writable for this user, or set DATABASE_URL.`,
      { cause },
    );
  }
}

function tryLock(database: DatabaseSync, file: string): boolean {
  try {
    database.exec('begin exclusive');
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) return false;
    throw new HabeasError('EMBEDDED_DATABASE_FAILED', `The lock file ${file} cannot be locked.`, { cause });
  }
}
