import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts the time of processes in hundredths of a second, whatever the processor's clock. */
const TICK_MILLISECONDS = 10;

interface Process {
  readonly parent: number;
  /** Its own, and that of its children that have ended. */
  readonly ticks: number;
}

/**
 * Milliseconds that this process and all that it started were on a processor, those that have ended included: the benchmark itself, its PostgreSQL
 * and its servers. Linux only.
 */
export function processorTime(): number {
  const processes = new Map<number, Process>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const read = Number.isInteger(pid) ? readProcess(pid) : undefined;
    if (read !== undefined) processes.set(pid, read);
  }
  const isOurs = (pid: number): boolean => {
    const parent = processes.get(pid)?.parent ?? 0;
    return pid === process.pid || (parent > 1 && isOurs(parent));
  };
  let ticks = 0;
  for (const [pid, one] of processes) if (isOurs(pid)) ticks += one.ticks;
  return ticks * TICK_MILLISECONDS;
}

/** Undefined: it has ended since it was listed. */
function readProcess(pid: number): Process | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
  // The name of the program stands in brackets, and may have any.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [own, system, children, childrenSystem] = fields.slice(11, 15).map(Number);
  return {
    parent: Number(fields[1]),
    ticks: (own ?? 0) + (system ?? 0) + (children ?? 0) + (childrenSystem ?? 0),
  };
}
