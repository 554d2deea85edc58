import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { migrate, openDatabase } from '../packages/server/src/foundation/index.ts';
import { migrations } from '../packages/server/src/main.ts';
import { type PageServer, servePages } from '../packages/server/test/page-server.ts';
import { type PrometheusServer, startPrometheus } from '../packages/server/test/prometheus-server.ts';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import type { PollRun } from './map-poll-process.ts';
import { createDatabase, onDatabase } from './on-database.ts';
import { median, timed } from './statistics.ts';

const SERIES = 100_000;
const SERVICES = 1_000;
const RUNS = 5;
const MOST_MB = 400;

/** How long a poll of a large fleet takes beside the answers of Prometheus alone. Needs Debian's package prometheus. */
export const mapPoll: Benchmark = {
  name: 'map-poll',
  about: `poll a Prometheus server that has ${SERIES} declarations`,
  async run(bench) {
    const page = pageOf();
    await using pages = await servePages(
      (_, response) => void response.setHeader('content-type', 'text/plain').end(page),
    );
    bench.say(`waiting until Prometheus has scraped ${SERIES} series`);
    const target = { job_name: 'fleet', static_configs: [{ targets: [new URL(pages.url).host] }] };
    const config = { global: { scrape_interval: '1m', scrape_timeout: '50s' }, scrape_configs: [target] };
    await using prometheus = await startPrometheus({ config });
    await scraped(prometheus);
    const server = await bench.postgres();
    await createDatabase(server.superuserUrl(), 'map_poll');
    const url = server.superuserUrl('map_poll');
    const opened = openDatabase({ url });
    await migrate(opened.db, migrations);
    await opened.close();
    bench.say('polling');
    const asked: string[] = [];
    await using recorder = await record(prometheus, asked);
    const first = await poll(url, recorder.url.replace('/metrics', ''), 1);
    if (first.started !== SERIES)
      throw new Error(`${first.started} declarations began instead of ${SERIES}.`);
    const before = await writtenRows(url);
    const polls: PollRun = await poll(url, prometheus.url, RUNS);
    const written = ((await writtenRows(url)) - before) / RUNS;
    const replies: number[] = [];
    for (let run = 0; run < RUNS; run += 1)
      replies.push((await timed(() => replay(prometheus, asked))).milliseconds);
    const peak = Math.max(first.peak, polls.peak);
    return [
      judge({
        name: 'map-poll',
        value: median(polls.milliseconds),
        unit: 'ms',
        baseline: median(replies),
        goal: { ratio: 2 },
        measured: `a poll without change of a Prometheus server with ${SERIES} declarations: asked, read, checked, compared with what is stored; median of ${RUNS}`,
        against: 'the same queries to the same server, read to the last byte and thrown away',
        notes: [
          `the first poll, which stores all of them: ${first.milliseconds[0]?.toFixed(0)} ms`,
          `the first poll of a process that was started again: ${polls.milliseconds[0]?.toFixed(0)} ms`,
        ],
      }),
      judge({
        name: 'map-poll-memory',
        value: peak,
        unit: 'MB',
        baseline: MOST_MB,
        goal: { value: MOST_MB },
        measured: 'the most resident memory (VmHWM) of the process that polls',
        against: 'the most that it may be',
      }),
      judge({
        name: 'map-poll-rows',
        value: written,
        unit: 'rows',
        baseline: 1,
        goal: { exactly: { ratio: 1 } },
        measured: `rows written by a poll without change, by PostgreSQL's own count; mean of ${RUNS}`,
        against: 'the heartbeat of the source',
      }),
    ];
  },
};

/** Flows between services, as a large company has them. */
function pageOf(): string {
  const types = [
    'email',
    'name',
    'ip',
    'phone',
    'address',
    'iban',
    'birthday',
    'photo',
    'location',
    'device',
  ];
  const lines = ['# TYPE transmit gauge\n'];
  for (let index = 0; index < SERIES; index += 1) {
    const from = index % SERVICES;
    const to = (from * 7 + Math.floor(index / SERVICES)) % SERVICES;
    const type = types[Math.floor(index / SERVICES) % types.length];
    lines.push(
      `transmit{team="team-${from % 50}",service="service-${from}",to_service="service-${to}",data_type="${type}"} 1\n`,
    );
  }
  return lines.join('');
}

async function scraped(prometheus: PrometheusServer): Promise<void> {
  for (let second = 0; second < 120; second += 1) {
    const [count] = Object.values(await prometheus.ask('count(transmit)'));
    if (count === SERIES) return;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error('Prometheus did not scrape all series.');
}

async function poll(url: string, prometheusUrl: string, count: number): Promise<PollRun> {
  const file = join(import.meta.dirname, 'map-poll-process.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [file, url, prometheusUrl, String(count)]);
  return JSON.parse(stdout) as PollRun;
}

/** Stands between a poll and Prometheus, and keeps what was asked. */
async function record(prometheus: PrometheusServer, asked: string[]): Promise<PageServer> {
  return await servePages(async (request, response) => {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const form = Buffer.concat(chunks).toString();
    asked.push(form);
    const answer = await ask(prometheus, form);
    response.setHeader('content-type', 'application/json').end(Buffer.from(await answer.arrayBuffer()));
  });
}

async function replay(prometheus: PrometheusServer, asked: readonly string[]): Promise<void> {
  for (const form of asked) await (await ask(prometheus, form)).arrayBuffer();
}

async function ask({ url }: PrometheusServer, form: string): Promise<Response> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body: form, headers });
  if (!response.ok) throw new Error(`Prometheus answered with status ${response.status}.`);
  return response;
}

async function writtenRows(url: string): Promise<number> {
  return await onDatabase(url, async (client) => {
    const { rows } = await client.query<{ written: string }>(
      'select sum(n_tup_ins + n_tup_upd + n_tup_del)::text as written from pg_stat_user_tables',
    );
    return Number(rows[0]?.written);
  });
}
