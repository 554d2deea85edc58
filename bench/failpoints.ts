import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import { followTraces } from '../examples/acme/traces.ts';
import { countEffects, type Made, madeTwice, readable, unended, waitForEnds } from './aftermath.ts';
import { answerTickets, untilAnswered } from './answer-tickets.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Company, openCompany } from './company.ts';
import { judge } from './figure.ts';
import type { HabeasServer } from './habeas-server.ts';

const RIGHTS = [
  'access',
  'portability',
  'erasure',
  'rectification',
  'restriction',
  'objection',
  'opt_out_of_sale',
  'limit_sensitive_data',
] as const;
/** Enough for a request at each failpoint. */
const PEOPLE = 800;
/** What a request of this right has to say besides. */
const DETAILS: { readonly [Right in api.Right]?: object } = {
  rectification: { changes: [{ target: 'user.name', to: 'Somebody Else' }] },
  objection: { purposes: ['marketing'] },
};
const PRELOAD = new URL('./failpoints/preload.ts', import.meta.url).href;
const PATIENCE_MILLISECONDS = 60_000;

export interface FailpointOptions {
  readonly rights: readonly Made['right'][];
  /** Kills at every nth failpoint only. (Default: at each) */
  readonly every?: number;
}

export interface FailpointReport {
  /** Names of failpoints that a server was killed at. */
  readonly killed: readonly string[];
  /** Names that were noted, and that the request did not come by the second time. */
  readonly missed: readonly string[];
  readonly violations: readonly string[];
  readonly seconds: number;
}

/** Kills the server at each of its failpoints, one request each, and looks into every store afterwards. */
export const failpoints: Benchmark = {
  name: 'failpoints',
  about: 'kill -9 of the server before and after each commit and each call, for each right',
  async run(bench) {
    const report = await runFailpoints(bench, { rights: RIGHTS });
    for (const violation of report.violations) bench.say(violation);
    return [
      judge({
        name: 'failpoints',
        value: report.killed.length - report.violations.length,
        unit: 'failpoints',
        baseline: report.killed.length,
        goal: { exactly: { ratio: 1 } },
        measured:
          'failpoints after which the request ended by itself, with every effect once and nothing readable that was called erased',
        against: 'failpoints that the server was killed at with kill -9',
        notes: [
          `${report.missed.length} more were not passed a second time, ${report.seconds.toFixed(0)} s`,
          ...report.violations.slice(0, 10),
        ],
      }),
    ];
  },
};

export async function runFailpoints(bench: Bench, options: FailpointOptions): Promise<FailpointReport> {
  const started = performance.now();
  const postgres = await bench.postgres();
  const folder = bench.folder('failpoints');
  process.env.HABEAS_FAILPOINTS = folder;
  bench.say('starting the example company');
  const company = await openCompany({
    folder,
    databaseUrl: (name) => postgres.superuserUrl(name),
    name: 'failpoints',
    concurrency: 4,
    people: PEOPLE,
  });
  const server = restarting(company);
  const team = answerTickets(company);
  const made: Made[] = [];
  const killed: string[] = [];
  const missed: string[] = [];
  try {
    await server.ready();
    await company.mapped();
    for (const right of options.rights) {
      await server.order(folder, { note: true });
      rmSync(join(folder, 'noted'), { force: true });
      await finish(company, made, right);
      const names = [...new Set(readFileSync(join(folder, 'noted'), 'utf8').trim().split('\n'))];
      bench.say(`${names.length} failpoints of ${right}`);
      for (const [index, name] of names.entries()) {
        if (index % (options.every ?? 1) !== 0) continue;
        rmSync(join(folder, 'killed'), { force: true });
        await server.order(folder, { kill: name });
        await finish(company, made, right);
        if (existsSync(join(folder, 'killed'))) killed.push(`${right}: ${name}`);
        else missed.push(`${right}: ${name}`);
        if ((index + 1) % 20 === 0) bench.say(`${index + 1} of ${names.length}`);
      }
    }
    await server.order(folder, {});
    const requests = await waitForEnds(
      company,
      made.map(({ id }) => id),
    );
    const effects = await countEffects(company, requests);
    const violations = [
      ...requests.flatMap(unended),
      ...(await madeTwice(company, made)),
      ...effects.violations,
      ...(await readable(made)),
    ];
    return { killed, missed, violations, seconds: (performance.now() - started) / 1_000 };
  } finally {
    await team.close();
    await server.end();
    await company.stop();
    delete process.env.HABEAS_FAILPOINTS;
  }
}

/** One request from its call to its end, whatever happens to the server meanwhile. */
async function finish(company: Company, made: Made[], right: Made['right']): Promise<void> {
  const subject = company.acme.subject(made.length);
  const traces = await followTraces(company.acme, subject);
  const key = randomUUID();
  const identities = [{ type: 'email', value: subject.email }];
  const { id } = await untilAnswered(() =>
    company.client.createRequest({ right, identities, ...DETAILS[right] }, key),
  );
  made.push({ id, right, traces });
  for (const end = Date.now() + PATIENCE_MILLISECONDS; Date.now() < end; await delay(20)) {
    const { state } = await untilAnswered(() => company.client.getRequest(id));
    if (state === 'completed') return;
  }
}

/** A server that is started again whenever it is gone. */
function restarting(company: Company) {
  let ended = false;
  let server: HabeasServer = company.start(['--import', PRELOAD]);
  const live = async (): Promise<void> => {
    while (!ended) {
      await server.gone;
      if (!ended) server = company.start(['--import', PRELOAD]);
    }
  };
  const living = live();
  return {
    ready: () => server.ready,
    /** Gives the server its orders and waits until it has read them. */
    async order(folder: string, orders: { readonly kill?: string; readonly note?: boolean }): Promise<void> {
      const read = join(folder, 'orders-read.json');
      rmSync(read, { force: true });
      writeFileSync(join(folder, 'orders.json'), JSON.stringify(orders));
      await server.ready;
      process.kill(server.pid, 'SIGUSR2');
      for (const end = Date.now() + PATIENCE_MILLISECONDS; !existsSync(read); await delay(5))
        if (Date.now() > end) throw new Error('the server does not read its orders');
    },
    async end(): Promise<void> {
      ended = true;
      await server.end('SIGTERM');
      await living;
    },
  };
}
