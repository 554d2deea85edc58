import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveToOwner, type Place } from './place.ts';
import { describeProcess, isSameProcess, signalProcess } from './processes.ts';
import { serverEnvironment } from './server-account.ts';

/** This process as a user of the server. */
export interface User {
  /** How many other processes use the server. */
  others(): number;
  /** Takes this process off the list; its keeper ends. */
  leave(): void;
}

interface UserRecord {
  readonly pid: number;
  readonly startedAt: string;
  readonly keeper: number | undefined;
}

/**
 * Waits for the end of its standard input, which is the end of the process that holds the other end, however it ends.
 * If that process did not leave by itself and no other user is alive, it shuts the server down in the fast, clean way.
 */
const KEEPER = `
while read -r _; do :; done
rm -f "$1/$2"
for file in "$1"/*; do
  [ -e "$file" ] || continue
  pid=\${file##*/}; pid=\${pid%%-*}
  if kill -0 "$pid" 2>/dev/null || [ -d "/proc/$pid" ]; then exit 0; fi
done
read -r server < "$3/postmaster.pid" || exit 0
{ tr '\\0' ' ' < "/proc/$server/cmdline" || ps -o command= -p "$server"; } 2>/dev/null | grep -qF -- "$3" || exit 0
kill -INT "$server"
`;

/**
 * Puts this process on the list of those that use the server, and starts its keeper. Called by the holder of the lock.
 * Those that ended without leaving are taken off, and their keepers are ended before they could stop the server under us.
 */
export function joinUsers(place: Place): User {
  mkdirSync(place.users, { recursive: true, mode: 0o700 });
  giveToOwner(place, place.users);
  livingUsers(place);
  const name = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const file = join(place.users, name);
  const keeper = startKeeper(place, name);
  const record: UserRecord = {
    pid: process.pid,
    startedAt: describeProcess(process.pid)?.startedAt ?? '',
    keeper: keeper?.pid,
  };
  writeFileSync(file, JSON.stringify(record), { mode: 0o600 });
  giveToOwner(place, file);
  return {
    others: () => livingUsers(place) - 1,
    leave: () => {
      keeper?.kill('SIGKILL');
      rmSync(file, { force: true });
    },
  };
}

/** How many living processes are on the list. Called by the holder of the lock. */
export function livingUsers(place: Place): number {
  let alive = 0;
  for (const name of readdirSync(place.users)) {
    const file = join(place.users, name);
    const record = readRecord(file);
    if (record !== undefined && isSameProcess(record.pid, record.startedAt)) {
      alive += 1;
      continue;
    }
    endKeeper(place, record?.keeper);
    rmSync(file, { force: true });
  }
  return alive;
}

function startKeeper(place: Place, name: string) {
  if (process.platform === 'win32') return undefined;
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'habeas-keeper', place.users, name, place.data], {
    detached: true,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.unref();
  // The pipe alone must not keep this process alive; a socket can say so, and Node's pipes to children are sockets.
  if ('unref' in keeper.stdin && typeof keeper.stdin.unref === 'function') keeper.stdin.unref();
  keeper.stdin.on('error', () => keeper.stdin.destroy());
  return keeper;
}

function endKeeper(place: Place, pid: number | undefined): void {
  if (pid === undefined || !describeProcess(pid)?.command.includes(place.users)) return;
  signalProcess(pid, 'SIGKILL');
}

function readRecord(file: string): UserRecord | undefined {
  const record: unknown = parse(readFileSync(file, 'utf8'));
  if (typeof record !== 'object' || record === null) return undefined;
  if (!('pid' in record) || typeof record.pid !== 'number') return undefined;
  if (!('startedAt' in record) || typeof record.startedAt !== 'string') return undefined;
  const keeper = 'keeper' in record && typeof record.keeper === 'number' ? record.keeper : undefined;
  return { pid: record.pid, startedAt: record.startedAt, keeper };
}

/** A record that a full disk or a kill cut short is no record. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
