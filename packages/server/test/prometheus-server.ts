import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** A real Prometheus server of a test's own, on a free port, with its data in a folder that goes with it. */
export interface PrometheusServer extends AsyncDisposable {
  readonly url: string;
  /** The vector that an instant query gives, as `value` by its labels in JSON. */
  ask(query: string): Promise<Readonly<Record<string, number>>>;
  /** Reads another configuration, as `SIGHUP` makes it do. */
  reload(config: PrometheusConfig): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** What stands in `prometheus.yml`; JSON is YAML. */
export type PrometheusConfig = Readonly<Record<string, unknown>>;

export interface StartPrometheusOptions {
  readonly config: PrometheusConfig;
  /** Samples from before it ran, in the OpenMetrics format with timestamps. */
  readonly history?: string;
  /** More of the command line. */
  readonly args?: readonly string[];
}

export async function startPrometheus(options: StartPrometheusOptions): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-prometheus-'));
  const file = join(folder, 'prometheus.yml');
  const data = join(folder, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  writeFileSync(file, JSON.stringify(options.config));
  if (options.history !== undefined) writeHistory(folder, { data, text: options.history });

  async function start(): Promise<void> {
    child = spawn(
      'prometheus',
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--storage.tsdb.retention.time=10y',
        '--log.level=error',
        ...(options.args ?? []),
      ],
      { stdio: 'ignore' },
    );
    await eventually(
      'Prometheus is ready',
      async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true,
    );
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async function close(): Promise<void> {
    await end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }

  await start();
  return {
    url,
    async ask(query) {
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
      const { data: found } = (await response.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return Object.fromEntries(
        found.result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]),
      );
    },
    async reload(config) {
      writeFileSync(file, JSON.stringify(config));
      child?.kill('SIGHUP');
    },
    kill: () => end('SIGKILL'),
    start,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function writeHistory(
  folder: string,
  { data, text }: { readonly data: string; readonly text: string },
): void {
  const file = join(folder, 'history.txt');
  writeFileSync(file, text);
  const made = spawnSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file, data], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`promtool: ${made.stderr}`);
}
