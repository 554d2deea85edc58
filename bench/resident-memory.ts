import { readFileSync } from 'node:fs';

/** The most memory that a process has had resident so far (VmHWM), in MB of 1,000,000 bytes. Linux only. */
export function peakMemoryOf(pid: number): number {
  const peak = peakMemoryOfRunning(pid);
  if (peak === undefined) throw new Error('This system does not say how much memory a process has had.');
  return peak;
}

/** The same; undefined for a process that has just ended, and has none any more. */
export function peakMemoryOfRunning(pid: number): number | undefined {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : (Number(kibibytes) * 1_024) / 1_000_000;
}
