import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeProcess, findProcesses } from './processes.ts';

/** What `postmaster.pid` says of the server that wrote it (PostgreSQL's miscadmin.h lists the lines). */
export interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
  readonly status: 'starting' | 'stopping' | 'ready';
}

/** The main process of a running server, by what it wrote and by what the system says of it. */
export interface RunningServer extends PidFile {
  readonly startedAt: string;
  /** Its programs were removed from the disk since, by a new installation for example. */
  readonly programDeleted: boolean;
}

/**
 * The server that runs on this data directory, or undefined. A pid in a file proves nothing: the process must be a
 * PostgreSQL on this very folder, since a stale pid may by now be any other program's.
 */
export function findRunningServer(data: string): RunningServer | undefined {
  const file = readPidFile(data);
  const found = file === undefined ? undefined : describeProcess(file.pid);
  if (file === undefined || found === undefined) return undefined;
  const isServer = found.program === 'postgres' && (found.folder === data || found.command.includes(data));
  if (!isServer) return undefined;
  return { ...file, startedAt: found.startedAt, programDeleted: found.programDeleted };
}

/** Processes that a killed server left behind on this data directory; a new server cannot start beside them. (Linux only) */
export function leftoverProcesses(data: string): readonly number[] {
  return findProcesses(({ folder, command }) => folder === data && command.startsWith('postgres:'));
}

function readPidFile(data: string): PidFile | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const [pid, , , port, socketFolder, , , status] = lines;
  if (pid === undefined || !/^\d+$/.test(pid)) return undefined;
  return {
    pid: Number(pid),
    port: Number(port ?? 0),
    socketFolder: socketFolder ?? '',
    status: statusOf(status?.trim()),
  };
}

function statusOf(text: string | undefined): PidFile['status'] {
  if (text === 'ready') return 'ready';
  return text === 'stopping' ? 'stopping' : 'starting';
}
