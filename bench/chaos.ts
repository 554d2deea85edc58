import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import { answerTicket } from '@habeas/example-acme';
import { followTraces, type Traces } from '../examples/acme/traces.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Company, openCompany } from './company.ts';
import { judge } from './figure.ts';
import { followAll } from './follow-all.ts';
import type { HabeasServer } from './habeas-server.ts';
import { inFlight, limiter } from './limiter.ts';

const REQUESTS = 300;
const KILLS = 100;
const IN_FLIGHT = 12;
const CONCURRENCY = 8;
/** A life of the server ends this long after it answers, at the latest; many end while it still starts. */
const LONGEST_LIFE_MILLISECONDS = 1_600;
const SETTLE_MILLISECONDS = 180_000;

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
  const random = mulberry32(bench.seed);
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

interface Made {
  readonly id: string;
  readonly right: 'access' | 'erasure';
  readonly traces: Traces;
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
    made.push({ id, right, traces });
    if (!options.isOver()) await delay(2_000);
  });
  return made;
}

async function untilAnswered<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (const end = Date.now() + SETTLE_MILLISECONDS; ; await delay(100)) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** The team without a client does its work by hand, and says so until it is heard. */
function answerTickets(company: Company) {
  const controller = new AbortController();
  const oneAtATime = limiter(1);
  const seen = new Set<string>();
  const answer = async (id: string): Promise<void> => {
    const ticket = await untilAnswered(() => company.client.getTicket(id));
    const count = await oneAtATime(() =>
      answerTicket(ticket, { folder: company.acme.folderOf('analytics') }),
    );
    await untilAnswered(async () => {
      if ((await company.client.getTicket(id)).state !== 'open') return;
      await company.client.closeTicket(id, { note: 'done by the script of the team', count: count.lines });
    });
  };
  const answering: Promise<void>[] = [];
  const following = followAll(company, {
    signal: controller.signal,
    onEvent: ({ type, data }) => {
      const id = String(data.subject);
      if (type !== 'ticket.opened' || seen.has(id)) return;
      seen.add(id);
      const work = answer(id);
      work.catch(() => undefined);
      answering.push(work);
    },
  });
  return {
    async close() {
      controller.abort();
      await following;
      await Promise.allSettled(answering);
    },
  };
}

interface Ended {
  readonly request: api.RequestView;
  readonly tasks: readonly api.TaskView[];
}

async function waitForEnds(company: Company, ids: readonly string[]): Promise<readonly Ended[]> {
  const open = new Set(ids);
  for (const end = Date.now() + SETTLE_MILLISECONDS; open.size > 0 && Date.now() < end; await delay(500)) {
    for (const id of open) if ((await company.client.getRequest(id)).state === 'completed') open.delete(id);
  }
  const ended: Ended[] = [];
  for (const id of ids)
    ended.push({ request: await company.client.getRequest(id), tasks: await company.client.listTasks(id) });
  return ended;
}

/** A call that was made again under its key must not have made a second request. */
async function madeTwice(company: Company, made: readonly Made[]): Promise<readonly string[]> {
  const known = new Set(made.map(({ id }) => id));
  const violations = known.size < made.length ? ['two calls with different keys made one request'] : [];
  let cursor: string | undefined;
  do {
    const page = await company.client.listRequests({ limit: 100, cursor });
    for (const { id } of page.items) if (!known.has(id)) violations.push(`${id} was made by nobody's answer`);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return violations;
}

function unended({ request, tasks }: Ended): readonly string[] {
  if (request.state === 'completed') return [];
  const open = tasks.filter(({ state }) => !['succeeded', 'skipped', 'pending'].includes(state));
  return [
    `${request.id} (${request.right}) is ${request.state}: ${open.map(({ key, state, error }) => `${key} ${state} ${error?.code ?? ''}`).join(', ')}`,
  ];
}

/** Every erasure that found the person has one effect under its key in the service's own journal: none missing, none twice. */
async function countEffects(company: Company, ended: readonly Ended[]) {
  const violations: string[] = [];
  let counted = 0;
  for (const service of ['accounts', 'mailer'] as const) {
    const journal = Map.groupBy(
      company.acme.effectsOf(service).filter(({ count }) => count > 0),
      ({ idempotencyKey }) => idempotencyKey,
    );
    for (const [key, effects] of journal) {
      counted += effects.length;
      if (effects.length > 1) violations.push(`${service} applied ${key} ${effects.length} times`);
    }
    const tasksOfJournal = new Set([...journal.keys()].map((key) => key.split('.')[0]));
    if (tasksOfJournal.size < journal.size) violations.push(`${service} has one task under two keys`);
    for (const { tasks } of ended) {
      const task = tasks.find(({ key }) => key === `erase:${service}`);
      if (task?.state !== 'succeeded' || task.evidence?.matched !== true) continue;
      if (!journal.has(`${task.id}.1`))
        violations.push(`${service} has no effect of ${task.id}, which succeeded`);
    }
  }
  return { violations, counted };
}

/** Looks into every store itself. Who asked for access only must still be there. */
async function readable(made: readonly Made[]): Promise<readonly string[]> {
  const violations: string[] = [];
  for (const { id, right, traces } of made) {
    const pointing = (await traces.look()).filter((trace) => trace.pointing > 0);
    const places = pointing
      .map(({ store, place, pointing: rows }) => `${rows} in ${store} ${place}`)
      .join(', ');
    if (right === 'erasure' && pointing.length > 0)
      violations.push(`${id} is an erasure, and there are still ${places}`);
    if (right === 'access' && pointing.length === 0)
      violations.push(`${id} asked for access, and the person is gone`);
  }
  return violations;
}

/** A small generator of numbers in [0, 1) (Tommy Ettinger's mulberry32), so that a seed repeats the kills. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
