import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { peakMemoryOfRunning } from './resident-memory.ts';

const HABEAS = fileURLToPath(new URL('../packages/server/bin/habeas.mjs', import.meta.url));
const LOOK_MILLISECONDS = 50;

export interface Ran {
  readonly stdout: string;
  /** The most resident memory that was seen while it ran. */
  readonly peakMegabytes: number;
}

/** Runs a command of `habeas` in a process of its own. Throws if it ends with another code than 0. */
export async function runHabeas(args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [HABEAS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let peakMegabytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-2_000);
  });
  const looking = setInterval(() => {
    if (child.exitCode === null)
      peakMegabytes = Math.max(peakMegabytes, peakMemoryOfRunning(child.pid ?? 0) ?? 0);
  }, LOOK_MILLISECONDS);
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  const code = await promise.finally(() => clearInterval(looking));
  if (code !== 0) throw new Error(`habeas ${args[0]} ended with ${code}: ${stderr}`);
  return { stdout, peakMegabytes };
}
