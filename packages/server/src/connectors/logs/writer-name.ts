import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * This process, as names of files say it: where its number counts (this start of this machine, in this container), its number, and when
 * it was started, because numbers are used again. See proc_pid_stat(5), pid_namespaces(7).
 */
export function writerName(): string {
  return `${place()}-${process.pid}-${startOf(process.pid) ?? 0}`;
}

/** Whether the process that such a name means has ended; undefined: it ran on another machine, or in another container. */
export function hasEnded(writer: string): boolean | undefined {
  const [where, pid, start] = writer.split('-');
  if (where !== place()) return undefined;
  return startOf(Number(pid)) !== Number(start);
}

let known: string | undefined;

function place(): string {
  known ??= createHash('sha256')
    .update(readFileSync('/proc/sys/kernel/random/boot_id'))
    .update(readlinkSync('/proc/self/ns/pid'))
    .digest('hex')
    .slice(0, 12);
  return known;
}

/** Place of the start time in `stat`, behind the name of the program, which may hold anything. */
const START_FIELD = 19;

/** In ticks since the machine was started. Undefined: there is no such process. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie writes nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[START_FIELD]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}
