import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { followTraces } from '../examples/acme/traces.ts';
import { countEffects, type Made, madeTwice, readable, unended, waitForEnds } from './aftermath.ts';
import { answerTickets, untilAnswered } from './answer-tickets.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Company, openCompany } from './company.ts';
import { judge } from './figure.ts';
import type { HabeasServer } from './habeas-server.ts';
import { inFlight } from './limiter.ts';
import { seededRandom } from './seeded-random.ts';

const REQUESTS = 300;
const KILLS = 100;
const IN_FLIGHT = 12;
const CONCURRENCY = 8;
/** A life of the server ends this long after it answers, at the latest; many end while it still starts. */
const LONGEST_LIFE_MILLISECONDS = 1_600;

export interface ChaosOptions {
  readonly requests: number;
  readonly kills: number;
}

/** What went wrong, one sentence each, and how much was looked at. */
export interface ChaosReport {
  readonly violations: readonly string[];
  readonly kills: number;
  readonly completed: number;
  readonly effects: number;
  readonly seconds: number;
}

/** Kills the server at random moments while requests run, and looks into every store afterwards. */
export const chaos: Benchmark = {
  name: 'chaos',
  about: `kill -9 of the server at ${KILLS} random moments during ${REQUESTS} mixed requests`,
  async run(bench) {
    const report = await runChaos(bench, { requests: REQUESTS, kills: KILLS });
    for (const violation of report.violations) bench.say(violation);
    return [
      judge({
        name: 'chaos',
        value: report.completed - report.violations.length,
        unit: 'requests',
        baseline: REQUESTS,
        goal: { exactly: { ratio: 1 } },
        measured: `requests that ended by themselves with every effect once and nothing readable that was called erased, after ${report.kills} times kill -9`,
        against: 'requests that were made',
        notes: [
          `${report.effects} effects counted by idempotency key, ${report.violations.length} violations, ${report.seconds.toFixed(0)} s`,
          ...report.violations.slice(0, 10),
        ],
      }),
    ];
  },
};

export async function runChaos(bench: Bench, options: ChaosOptions): Promise<ChaosReport> {
  const started = performance.now();
  const postgres = await bench.postgres();
  bench.say('starting the example company');
  const company = await openCompany({
    folder: bench.folder('chaos'),
    databaseUrl: (name) => postgres.superuserUrl(name),
    name: 'chaos',
    concurrency: CONCURRENCY,
    people: options.requests,
  });
  const random = seededRandom(bench.seed);
  const lives = keepAlive(company, { kills: options.kills, random, say: bench.say });
  const team = answerTickets(company);
  try {
    await lives.first;
    await company.mapped();
    lives.startKilling();
    const made = await makeRequests(company, {
      requests: options.requests,
      isOver: () => lives.killed >= options.kills,
    });
    await lives.over;
    bench.say(`${lives.killed} kills; waiting for every request to end`);
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
    return {
      violations,
      kills: lives.killed,
      completed: requests.filter(({ request }) => request.state === 'completed').length,
      effects: effects.counted,
      seconds: (performance.now() - started) / 1_000,
    };
  } finally {
    await team.close();
    await lives.end();
    await company.stop();
  }
}

/** Starts the server again and again; each life ends by SIGKILL at a random moment until there were enough. */
function keepAlive(
  company: Company,
  options: { readonly kills: number; readonly random: () => number; readonly say: (line: string) => void },
) {
  let killed = 0;
  let killing = false;
  let server: HabeasServer = company.start();
  const first = server.ready;
  const startKilling = Promise.withResolvers<void>();
  const live = async (): Promise<void> => {
    await startKilling.promise;
    while (killed < options.kills) {
      // Some kills hit the start itself: migrations, the first look, the first jobs.
      if (options.random() < 0.8) await server.ready;
      await delay(options.random() * LONGEST_LIFE_MILLISECONDS);
      await server.end('SIGKILL');
      killed += 1;
      if (killed % 20 === 0) options.say(`${killed} of ${options.kills} kills`);
      server = company.start();
    }
    await server.ready;
  };
  const over = live();
  over.catch(() => undefined);
  return {
    first,
    over,
    get killed() {
      return killed;
    },
    startKilling() {
      if (!killing) startKilling.resolve();
      killing = true;
    },
    end: () => server.end('SIGTERM'),
  };
}

/** Spreads the requests over the time of the kills. A call that got no answer is made again under its key. */
async function makeRequests(
  company: Company,
  options: { readonly requests: number; readonly isOver: () => boolean },
): Promise<readonly Made[]> {
  const made: Made[] = [];
  await inFlight({ count: options.requests, most: IN_FLIGHT }, async (n) => {
    const subject = company.acme.subject(n);
    const right = n % 3 === 0 ? 'access' : 'erasure';
    const traces = await followTraces(company.acme, subject);
    const key = randomUUID();
    const identities = [{ type: 'email', value: subject.email }];
    const { id } = await untilAnswered(() => company.client.createRequest({ right, identities }, key));
    made.push({ id, right, traces, email: subject.email });
    if (!options.isOver()) await delay(2_000);
  });
  return made;
}
