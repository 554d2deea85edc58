import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The services of the example, and who owns each. */
export const SERVICES = [
  { name: 'accounts', team: 'identity' },
  { name: 'orders', team: 'shop' },
  { name: 'mailer', team: 'growth' },
  { name: 'analytics', team: 'data' },
] as const;

export type ServiceName = (typeof SERVICES)[number]['name'];

export interface RunningService {
  readonly name: ServiceName;
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly metricsUrl: string;
}

export interface ServiceProcess {
  readonly service: RunningService;
  /** Resolves when `/metrics` answers; rejects when the process ended before, with the place of its log. */
  ready(): Promise<void>;
  /** Sends the signal, if the process still runs, and waits until it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface ServiceProcessOptions {
  readonly name: ServiceName;
  readonly port: number;
  readonly data: string;
  /** File that the output is appended to. */
  readonly log: string;
  readonly shopDatabaseUrl: string;
  readonly arguments: readonly string[];
  readonly onSeeded: (people: number) => void;
}

/** What a service needs of the environment; nothing else of it is handed on, as it may hold secrets of Habeas. */
const ENVIRONMENT = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TEMP', 'SystemRoot'];
const POLL_MILLISECONDS = 20;
const POLL_TIMEOUT_MILLISECONDS = 2_000;

/** Starts one service in its own process, joined to this one by a channel; it ends when the channel closes. */
export function startService(options: ServiceProcessOptions): ServiceProcess {
  const { name, port } = options;
  const metricsUrl = `http://127.0.0.1:${port}/metrics`;
  const child = spawnService(options);
  let ended = false;
  const end = new Promise<void>((done) => child.once('exit', () => done())).then(() => {
    ended = true;
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined);
  child.on('message', (message) => {
    const seeded = typeof message === 'object' && 'seeded' in message ? message.seeded : undefined;
    if (typeof seeded === 'number') options.onSeeded(seeded);
  });

  const answers = async () => {
    while (!ended) {
      if (await answersMetrics(metricsUrl)) return;
      await delay(POLL_MILLISECONDS);
    }
    throw new Error(`The service ${name} ended before it answered. Its output is in ${options.log}.`);
  };
  return {
    service: { name, pid: child.pid ?? 0, port, metricsUrl },
    ready: () => Promise.race([answers(), failed]),
    end: async (signal) => {
      if (ended) return;
      child.ref();
      child.kill(signal);
      await end;
    },
  };
}

function spawnService(options: ServiceProcessOptions): ChildProcess {
  const { name, port, data } = options;
  const main = fileURLToPath(new URL(`services/${name}/main.ts`, import.meta.url));
  const log = openSync(options.log, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [main, `--data=${data}`, `--port=${port}`, ...options.arguments], {
      stdio: ['ignore', log, log, 'ipc'],
      env: {
        ...Object.fromEntries(ENVIRONMENT.map((key) => [key, process.env[key]])),
        ...(name === 'orders' && { SHOP_DATABASE_URL: options.shopDatabaseUrl }),
      },
    });
    // This process may end while the service runs; then the service ends, too.
    child.unref();
    child.channel?.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

async function answersMetrics(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(POLL_TIMEOUT_MILLISECONDS) });
    await response.text();
    return response.ok;
  } catch {
    // Nobody listens yet, which is what is waited for.
    return false;
  }
}
