import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { failure } from './failure.ts';

/** What the operating system tells about a running process. */
export interface ProcessDescription {
  /** Differs between two processes that had the same id one after the other; the unit is the system's own. */
  readonly startedAt: string;
  /** The name of its program without folder, such as `postgres`. */
  readonly program: string;
  /** Its program and arguments, separated by spaces. */
  readonly command: string;
  /** Its working folder, where the system tells it. */
  readonly folder: string | undefined;
  /** The file of its program was deleted or replaced since it started (told on Linux only). */
  readonly programDeleted: boolean;
}

/** The process with this id, or undefined if there is none; one that has ended but was not yet reaped counts as none. */
export function describeProcess(pid: number): ProcessDescription | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return describeOnLinux(pid);
  if (process.platform === 'win32') return describeOnWindows(pid);
  return describeWithPs(pid);
}

/** Whether the process with this id is the one that was described earlier, and not a later one with a recycled id. */
export function isSameProcess(pid: number, startedAt: string): boolean {
  return describeProcess(pid)?.startedAt === startedAt;
}

/** The ids of all processes that match; on systems other than Linux nobody tells, and the answer is empty. */
export function findProcesses(matches: (description: ProcessDescription) => boolean): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const description = describeProcess(pid);
      return description !== undefined && matches(description);
    });
}

/** Sends a signal; false if there is no such process (any more). */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw failure(
      `The process ${pid} of the embedded PostgreSQL belongs to another user and cannot be ended.`,
      {
        cause: error,
      },
    );
  }
}

function describeOnLinux(pid: number): ProcessDescription | undefined {
  let stat: string;
  let words: readonly string[];
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return undefined;
  }
  // proc(5): the name in parentheses may itself hold spaces; state is field 3 and the start time field 22.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startedAt = fields[18];
  if (startedAt === undefined || state === 'Z' || state === 'X') return undefined;
  return {
    startedAt,
    program: basename(words[0] ?? ''),
    command: words.join(' ').trim(),
    folder: readLink(`/proc/${pid}/cwd`),
    programDeleted: readLink(`/proc/${pid}/exe`)?.endsWith(' (deleted)') ?? false,
  };
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function describeWithPs(pid: number): ProcessDescription | undefined {
  const text = output('ps', ['-o', 'stat=', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)]);
  const match = /^(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(text.trim());
  if (match?.[2] === undefined || match[3] === undefined || match[1]?.startsWith('Z')) return undefined;
  const program = basename(output('ps', ['-o', 'comm=', '-p', String(pid)]).trim());
  return { startedAt: match[2], program, command: match[3], folder: undefined, programDeleted: false };
}

function describeOnWindows(pid: number): ProcessDescription | undefined {
  const query = `Get-CimInstance Win32_Process -Filter "ProcessId=${pid}" | % { "$($_.CreationDate.Ticks)|$($_.Name)|$($_.CommandLine)" }`;
  const [startedAt, program, ...command] = output('powershell', ['-NoProfile', '-Command', query])
    .trim()
    .split('|');
  if (startedAt === undefined || program === undefined) return undefined;
  return {
    startedAt,
    program: program.replace(/\.exe$/i, ''),
    command: command.join('|'),
    folder: undefined,
    programDeleted: false,
  };
}

function output(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
