import { existsSync } from 'node:fs';
import { HabeasError } from '../errors.ts';
import { adoptServer } from './adopt.ts';
import { nativeFolder, prepareBinaries } from './binaries.ts';
import { DATABASE, ensureContents, type Reach, ROLE, urlOf } from './contents.ts';
import { failure } from './failure.ts';
import { ensureDataDirectory, SUPERUSER, type Transport } from './initialize.ts';
import { withLock } from './lock.ts';
import { findRunningServer } from './pid-file.ts';
import { findPlace, giveToOwner } from './place.ts';
import { isSameProcess } from './processes.ts';
import { type ServerOptions, startServer, stopServer } from './server.ts';
import { joinUsers, livingUsers } from './users.ts';
import { watch } from './watch.ts';

export interface EmbeddedPostgresOptions {
  /** The data folder of Habeas; the server's files are kept in `postgres/` of it. Made when it is missing. */
  readonly dataDir: string;
  /** Told what is being done, one line each, without a newline. */
  readonly onProgress?: (line: string) => void;
  /** Server settings beside our own. (Default: none; `fsync: 'off'` is for tests, whose data nobody misses) */
  readonly settings?: Readonly<Record<string, string>>;
  /** (Default: a Unix socket; on Windows 127.0.0.1 with a random password) */
  readonly transport?: Transport;
  /** The folder `native` with PostgreSQL's programs. (Default: that of the npm package for this machine) */
  readonly native?: string;
}

export interface EmbeddedPostgres {
  /** The URL of a database as the role of Habeas, which is no superuser. (Default: Habeas' own database) */
  url(database?: string): string;
  /** The same as the server's superuser, for tests and for repairs. */
  superuserUrl(database?: string): string;
  /** Whether the server was running already: started by another process, or left behind by one that was killed. */
  readonly adopted: boolean;
  /** Leaves the server; the last process that leaves shuts it down. A second call does nothing. */
  stop(): Promise<void>;
}

/** Long enough for the first start on a slow disk by another process. */
const LOCK_MILLISECONDS = 10 * 60_000;

/**
 * Starts PostgreSQL on the data folder, or joins the one that runs there already. The server lives as long as one process
 * uses it: after `kill -9` of the last one it shuts itself down within a moment, and the next start needs no repair by a person.
 * Throws EMBEDDED_DATABASE_FAILED with what was found, where, and what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options);
  } catch (cause) {
    if (cause instanceof HabeasError) throw cause;
    // What the system says of a file (ENOSPC, EACCES, …) names the file, and never what is in it.
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw failure(`The embedded PostgreSQL could not be started in ${options.dataDir}${reason}`, { cause });
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const onProgress = options.onProgress ?? (() => undefined);
  const place = findPlace({ dataDir: options.dataDir, onProgress });
  const transport = options.transport ?? (process.platform === 'win32' ? 'tcp' : 'socket');
  const settings = options.settings ?? {};
  const locked = <Result>(act: () => Promise<Result>) =>
    withLock(
      place.lock,
      {
        onOpen: () => giveToOwner(place, place.lock),
        onWait: () =>
          onProgress('waiting for another Habeas process that is at work on the embedded database'),
        timeout: LOCK_MILLISECONDS,
      },
      act,
    );
  const binaries = await locked(async () =>
    prepareBinaries({ native: options.native ?? nativeFolder(), place, onProgress }),
  );
  const serverOptions: ServerOptions = { place, binaries, transport, settings, onProgress };

  const bringUp = async (mayInitialize: boolean) => {
    const user = joinUsers(place);
    try {
      const found = await adoptServer({ ...serverOptions, others: user.others() });
      if (found !== undefined) return { user, server: found, adopted: true };
      if (mayInitialize) {
        await ensureDataDirectory({
          place,
          binaries,
          transport,
          durable: settings.fsync !== 'off',
          onProgress,
        });
      } else if (!existsSync(place.data)) {
        throw failure(`The data directory ${place.data} was removed while it was in use.`);
      }
      const server = await startServer(serverOptions);
      return { user, server, adopted: false };
    } catch (error) {
      user.leave();
      throw error;
    }
  };

  let current = await locked(async () => {
    const started = await bringUp(true);
    await ensureContents({ place, transport, server: started.server });
    return started;
  });
  const reach = (): Reach => ({ place, transport, server: current.server });

  const watcher = watch({
    isAlive: () => isSameProcess(current.server.pid, current.server.startedAt),
    bringBack: async () => {
      onProgress('the embedded PostgreSQL ended by itself; starting it again');
      current.user.leave();
      current = await locked(() => bringUp(false));
    },
    onGiveUp: (error) => onProgress(`the embedded PostgreSQL cannot be started again: ${error.message}`),
  });

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await watcher.end();
    await locked(async () => {
      current.user.leave();
      if (livingUsers(place) > 0) return;
      const running = findRunningServer(place.data);
      if (running !== undefined) await stopServer(running, serverOptions);
    });
  };
  return {
    url: (database = DATABASE) => urlOf(reach(), ROLE, database),
    superuserUrl: (database = 'postgres') => urlOf(reach(), SUPERUSER, database),
    adopted: current.adopted,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
