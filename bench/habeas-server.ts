import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const HABEAS = fileURLToPath(new URL('../packages/server/bin/habeas.mjs', import.meta.url));
/** A machine that does other things as well starts slowly. */
const START_MILLISECONDS = 180_000;

export interface HabeasServerOptions {
  readonly config: string;
  readonly port: number;
  readonly databaseUrl: string;
  /** What the configuration reads, such as the address of a database. */
  readonly environment: Readonly<Record<string, string>>;
  /** File that its log is appended to. */
  readonly log: string;
  /** Options of Node, such as `--cpu-prof`. (Default: none) */
  readonly execArgv?: readonly string[];
}

/** `habeas serve` in a process of its own. */
export interface HabeasServer {
  readonly url: string;
  readonly pid: number;
  /** Resolves when it takes calls; rejects when it ended before, or does not answer in three minutes. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone, for whatever reason. */
  readonly gone: Promise<void>;
  /** Sends the signal, if it still runs, and waits until it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const servedSchema = z.object({ url: z.string() });

export function startHabeas(options: HabeasServerOptions): HabeasServer {
  const child = spawnServer(options);
  const gone = once(child, 'exit');
  gone.catch(() => undefined);
  const ready = listening(child, gone, options);
  ready.catch(() => undefined);
  return {
    url: `http://127.0.0.1:${options.port}`,
    pid: child.pid ?? 0,
    ready,
    gone: gone.then(() => undefined),
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await gone;
    },
  };
}

function spawnServer(options: HabeasServerOptions): ChildProcess {
  const log = openSync(options.log, 'a', 0o600);
  const serve = ['serve', '--config', options.config, '--port', String(options.port), '--json'];
  try {
    return spawn(process.execPath, [...(options.execArgv ?? []), HABEAS, ...serve], {
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, ...options.environment, DATABASE_URL: options.databaseUrl },
    });
  } finally {
    closeSync(log);
  }
}

async function listening(
  child: ChildProcess,
  gone: Promise<unknown>,
  { log }: HabeasServerOptions,
): Promise<void> {
  if (child.stdout === null) throw new Error('The server has no standard output.');
  const lines = createInterface({ input: child.stdout });
  const line = new Promise<string>((resolve) => lines.once('line', resolve));
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error('it took too long')), START_MILLISECONDS);
  try {
    const ended = gone.then(() => Promise.reject(new Error('it ended')));
    servedSchema.parse(JSON.parse(await Promise.race([line, ended, timeout.promise])));
  } catch (cause) {
    throw new Error(`The server did not start; its log is ${log}.`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
