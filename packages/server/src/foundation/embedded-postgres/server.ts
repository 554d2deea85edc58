import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { failure, logFrom } from './failure.ts';
import type { Transport } from './initialize.ts';
import { findRunningServer, leftoverProcesses, type PidFile, type RunningServer } from './pid-file.ts';
import { giveToOwner, type Place, prepareSocketFolder, SOCKET_PORT } from './place.ts';
import { isSameProcess, signalProcess } from './processes.ts';
import { serverEnvironment } from './server-account.ts';

export interface ServerOptions {
  readonly place: Place;
  readonly binaries: Binaries;
  readonly transport: Transport;
  readonly settings: Readonly<Record<string, string>>;
  readonly onProgress: (line: string) => void;
}

/** Given on the command line, so that they hold for a data directory of an older Habeas too. */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  full_page_writes: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  cluster_name: 'habeas',
  jit: 'off',
  // An error's text may quote a person's data ("Key (email)=(…) already exists"): it goes to the client, not to the log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

interface Address {
  readonly port: number;
  /** Without one the server listens on 127.0.0.1. */
  readonly socketFolder: string | undefined;
}

const POLL_MILLISECONDS = 20;
const REPORT_MILLISECONDS = 5_000;
const LOG_BYTES = 10 * 1024 * 1024;
const PORT_ATTEMPTS = 5;
/** How long the memory of a killed server may stay in use by its last processes. */
const MEMORY_ATTEMPTS = 60;
const MEMORY_PAUSE_MILLISECONDS = 500;

/**
 * Starts a server on the data directory and waits until it takes connections, however long it replays its log.
 * Called by the holder of the lock, when no server runs there.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { place, transport } = options;
  const socketFolder = transport === 'socket' ? prepareSocketFolder(place) : undefined;
  await clearRemains(place, socketFolder);
  for (let attempt = 1; ; attempt += 1) {
    const port = transport === 'tcp' ? await freePort() : SOCKET_PORT;
    const outcome = await launch(options, { port, socketFolder });
    if (typeof outcome !== 'string') return outcome;
    const portTaken = transport === 'tcp' && outcome.includes('Address already in use');
    if (portTaken && attempt < PORT_ATTEMPTS) continue;
    const memoryInUse = outcome.includes('pre-existing shared memory block');
    if (!memoryInUse || attempt >= MEMORY_ATTEMPTS) {
      throw failure(`The embedded PostgreSQL in ${place.folder} did not start.`, { log: outcome });
    }
    await sleep(MEMORY_PAUSE_MILLISECONDS);
  }
}

/** Waits until a server that another process started is ready or gone. */
export async function waitWhileStarting(
  running: RunningServer,
  options: ServerOptions,
): Promise<RunningServer | undefined> {
  const report = reporter(options.onProgress);
  let current: RunningServer | undefined = running;
  while (current !== undefined && current.status !== 'ready') {
    report(current);
    await sleep(POLL_MILLISECONDS);
    current = findRunningServer(options.place.data);
  }
  return current;
}

/**
 * Ends a server: fast and clean (clients are disconnected, all is written), then without a checkpoint (the log is
 * replayed at the next start), then by force. Nothing that was acknowledged is lost in any of them.
 */
export async function stopServer(running: RunningServer, options: Pick<ServerOptions, 'place' | 'binaries'>) {
  const steps = [
    { signal: 'SIGINT', mode: 'fast', seconds: 60 },
    { signal: 'SIGQUIT', mode: 'immediate', seconds: 10 },
    { signal: 'SIGKILL', mode: 'immediate', seconds: 10 },
  ] as const;
  for (const { signal, mode, seconds } of steps) {
    if (process.platform === 'win32') {
      // Windows has no signals; pg_ctl knows the server's own way.
      execFileSync(options.binaries.pgCtl, ['stop', '-D', options.place.data, '-m', mode, '-W']);
    } else if (!signalServer(running, signal)) return;
    if (await hasEnded(running, seconds)) {
      removeSocketFolder(running, options.place);
      return;
    }
  }
  throw failure(`The embedded PostgreSQL (pid ${running.pid}) cannot be ended. End it by hand.`);
}

/** Ends at once a server that does not answer. What it acknowledged is on the disk. */
export async function killServer(running: RunningServer, place: Place): Promise<void> {
  signalServer(running, 'SIGKILL');
  if (!(await hasEnded(running, 10))) {
    throw failure(
      `A PostgreSQL that does not answer (pid ${running.pid}) runs on ${place.data} and cannot be ended. End it by hand.`,
    );
  }
}

async function launch(options: ServerOptions, address: Address): Promise<RunningServer | string> {
  const { place } = options;
  rotateLog(place.log);
  const log = openSync(place.log, 'a', 0o600);
  giveToOwner(place, place.log);
  const position = statSync(place.log).size;
  const child = spawn(options.binaries.postgres, commandLine(options, address), {
    ...place.account,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', log, log],
    // Ctrl+C goes to the whole group of the terminal; the server must outlive our own orderly end.
    detached: true,
  });
  closeSync(log);
  child.unref();
  const ended = endOf(child);
  const report = reporter(options.onProgress);
  while (ended.reason === undefined) {
    const running = findRunningServer(place.data);
    if (running?.pid === child.pid && running?.status === 'ready') return running;
    if (running !== undefined) report(running);
    await sleep(POLL_MILLISECONDS);
  }
  return `${logFrom(place.log, position)}\n${ended.reason}`;
}

function commandLine(options: ServerOptions, { port, socketFolder }: Address): readonly string[] {
  const reach =
    socketFolder === undefined
      ? { listen_addresses: '127.0.0.1', unix_socket_directories: '' }
      : {
          listen_addresses: '',
          unix_socket_directories: `"${socketFolder.replaceAll('"', '""')}"`,
          unix_socket_permissions: '0700',
        };
  const settings = { ...SETTINGS, ...options.settings, ...reach, port: String(port) };
  return [
    '-D',
    options.place.data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

function endOf(child: ChildProcess): { readonly reason: string | undefined } {
  const end: { reason: string | undefined } = { reason: undefined };
  child.on('error', (error) => {
    end.reason = error.message;
  });
  child.on('exit', (code, signal) => {
    end.reason ??= `postgres ended with ${signal ?? `status ${code}`}`;
  });
  return end;
}

async function clearRemains(place: Place, socketFolder: string | undefined): Promise<void> {
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    const remains = leftoverProcesses(place.data);
    for (const pid of remains) signalProcess(pid, signal);
    for (
      let waited = 0;
      leftoverProcesses(place.data).length > 0 && waited < 5_000;
      waited += POLL_MILLISECONDS
    ) {
      await sleep(POLL_MILLISECONDS);
    }
  }
  // No server runs here. PostgreSQL itself would go by the pid in these files alone, which another program may have by now, or
  // a dead process that was not reaped; whether a server still uses the data it also tells by its shared memory.
  rmSync(join(place.data, 'postmaster.pid'), { force: true });
  if (socketFolder === undefined) return;
  const socket = join(socketFolder, `.s.PGSQL.${SOCKET_PORT}`);
  rmSync(socket, { force: true });
  rmSync(`${socket}.lock`, { force: true });
}

/** One in the temporary folder is not left behind; the clean end of the server has emptied it. */
function removeSocketFolder(running: RunningServer, place: Place): void {
  const folder = running.socketFolder;
  if (folder === '' || folder.startsWith(place.folder) || !existsSync(folder)) return;
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

function signalServer(running: RunningServer, signal: NodeJS.Signals): boolean {
  return isSameProcess(running.pid, running.startedAt) && signalProcess(running.pid, signal);
}

async function hasEnded(running: RunningServer, seconds: number): Promise<boolean> {
  for (let waited = 0; waited < seconds * 1_000; waited += POLL_MILLISECONDS) {
    if (!isSameProcess(running.pid, running.startedAt)) return true;
    await sleep(POLL_MILLISECONDS);
  }
  return false;
}

/** A line every few seconds while one waits for the server. */
function reporter(onProgress: (line: string) => void): (state: PidFile) => void {
  let waited = 0;
  return ({ status }) => {
    waited += POLL_MILLISECONDS;
    if (waited % REPORT_MILLISECONDS !== 0) return;
    const doing = status === 'stopping' ? 'ending' : 'starting, and replays what it had not yet written';
    onProgress(`PostgreSQL is still ${doing} (${waited / 1_000} s)`);
  };
}

function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES) renameSync(file, `${file}.1`);
}

/** A TCP port on the loopback address that nobody uses at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
