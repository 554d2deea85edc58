import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { failure } from './failure.ts';
import { giveToOwner, type Place } from './place.ts';
import { findProcesses, signalProcess } from './processes.ts';
import { SERVER_GROUP, serverEnvironment } from './server-account.ts';

/** How clients reach the server: a Unix socket, or 127.0.0.1 and a password where there are none (Windows). */
export type Transport = 'socket' | 'tcp';

/** initdb works in a folder of this name; only a finished one is renamed to `data`, so a half-made `data` cannot exist. */
const UNFINISHED = 'unfinished-';
const REMOVALS = 50;
const REMOVAL_MILLISECONDS = 20;

/** The bootstrap superuser of every embedded server. */
export const SUPERUSER = 'postgres';

/**
 * Makes the data directory if there is none. One of another major version, or one that is no data directory, is left
 * exactly as it is: EMBEDDED_DATABASE_FAILED says what to do. Called by the holder of the lock only.
 */
export async function ensureDataDirectory(options: {
  readonly place: Place;
  readonly binaries: Binaries;
  readonly transport: Transport;
  /** Whether files are flushed to the disk. */
  readonly durable: boolean;
  readonly onProgress: (line: string) => void;
}): Promise<void> {
  const { place, binaries } = options;
  await removeUnfinished(place);
  if (existsSync(place.data) && readdirSync(place.data).length > 0) {
    refuseForeign(place, binaries);
    return;
  }
  options.onProgress(`making a database with PostgreSQL ${binaries.version} in ${place.folder}`);
  const unfinished = join(place.folder, `${UNFINISHED}${randomBytes(4).toString('hex')}`);
  mkdirSync(unfinished, { mode: 0o700 });
  if (place.account.uid !== undefined && place.account.gid !== undefined) {
    chownSync(unfinished, place.account.uid, place.account.gid);
  }
  await runInitdb(unfinished, options);
  if (existsSync(place.data)) rmdirSync(place.data);
  renameSync(unfinished, place.data);
  flushFolder(place.folder);
}

/**
 * What a killed first start left behind. Its initdb may still be at work, starting servers of its own, or clearing away what it
 * made because one of them was killed; and a removal that meets something that is just going ends early without an error.
 */
async function removeUnfinished(place: Place): Promise<void> {
  const prefix = join(place.folder, UNFINISHED);
  const unfinished = () => readdirSync(place.folder).filter((entry) => entry.startsWith(UNFINISHED));
  for (let tries = 0; tries < REMOVALS && unfinished().length > 0; tries += 1) {
    const atWork = findProcesses(({ command }) => command.includes(prefix));
    for (const pid of atWork) signalProcess(pid, 'SIGKILL');
    if (atWork.length > 0) await delay(REMOVAL_MILLISECONDS);
    for (const name of unfinished())
      rmSync(join(place.folder, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

/** The password for TCP, made at its first use, in a file that only its owner and the server read. */
export function passwordFile(place: Place): string {
  const file = join(place.folder, 'password');
  if (existsSync(file)) return file;
  writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (place.account.gid === SERVER_GROUP) {
    chownSync(file, 0, SERVER_GROUP);
    chmodSync(file, 0o640);
  } else {
    giveToOwner(place, file);
  }
  return file;
}

function refuseForeign(place: Place, binaries: Binaries): void {
  const versionFile = join(place.data, 'PG_VERSION');
  if (!existsSync(versionFile)) {
    throw failure(
      `${place.data} is not empty and not a PostgreSQL data directory. Nothing in it was changed. Move it away to begin with an empty database.`,
    );
  }
  const major = readFileSync(versionFile, 'utf8').trim();
  if (major === binaries.major) return;
  throw failure(
    [
      `${place.data} was made by PostgreSQL ${major}; this Habeas brings PostgreSQL ${binaries.version}, which cannot read it. Nothing in it was changed.`,
      `To keep what is in it, run a PostgreSQL ${major} server on it and set DATABASE_URL to that server (or dump it there and restore it here).`,
      `To begin with an empty database, move it away: mv '${place.data}' '${place.data}-${major}'`,
    ].join('\n'),
  );
}

async function runInitdb(
  folder: string,
  options: {
    readonly place: Place;
    readonly binaries: Binaries;
    readonly transport: Transport;
    readonly durable: boolean;
  },
): Promise<void> {
  // The builtin provider sorts the same on every machine: an upgrade of the C library cannot corrupt an index on text.
  const args = [
    `--pgdata=${folder}`,
    `--username=${SUPERUSER}`,
    '--encoding=UTF8',
    '--no-locale',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
    ...(options.transport === 'tcp' ? [`--pwfile=${passwordFile(options.place)}`] : []),
    ...(options.durable ? [] : ['--no-sync']),
  ];
  const child = spawn(options.binaries.initdb, args, {
    ...options.place.account,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const status = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'no status'));
  });
  if (status === 0) return;
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  throw failure(
    `PostgreSQL could not make its data directory in ${options.place.folder} (initdb: ${status}).`,
    {
      log: said,
    },
  );
}

/** Makes the rename survive a power cut. */
function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
