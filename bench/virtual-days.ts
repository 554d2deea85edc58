import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../packages/server/src/foundation/index.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { caller, type FlakyCompany, openFlakyCompany } from './flaky-company.ts';
import { FlakySystem } from './flaky-system.ts';
import { createDatabase } from './on-database.ts';
import { seededRandom } from './seeded-random.ts';

const REQUESTS = 10_000;
/** Made at once, so that intake is shared as it is between many callers. */
const BURST = 50;
const DAY_MILLISECONDS = 86_400_000;
/** A day of the systems takes so long here. */
const REAL_DAY_MILLISECONDS = 60_000;
const ARRIVAL_DAYS = 3;
/** Nothing else has to be waited for: a request that can end does so sooner, however slow the machine is. */
const STALLED_MILLISECONDS = 300_000;
const TROUBLES = { transient: 0.3, lostReplies: 0.05, asynchronous: 0.1, duplicates: 0.02 };

export interface VirtualDaysOptions {
  readonly requests: number;
  /** Milliseconds that a day of the systems takes. */
  readonly realDay: number;
}

export interface VirtualDaysReport {
  readonly completed: number;
  readonly violations: readonly string[];
  readonly calls: number;
  readonly effects: number;
  readonly days: number;
  readonly seconds: number;
}

/** Requests that all have to end by themselves, although every system fails in every way, and one is away for a day. */
export const virtualDays: Benchmark = {
  name: 'virtual-days',
  about: `${REQUESTS} requests to systems with transient errors, lost replies, late and repeated reports, one down for a day`,
  async run(bench) {
    const report = await runVirtualDays(bench, { requests: REQUESTS, realDay: REAL_DAY_MILLISECONDS });
    for (const violation of report.violations.slice(0, 20)) bench.say(violation);
    return [
      judge({
        name: 'virtual-days',
        value: report.completed - report.violations.length,
        unit: 'requests',
        baseline: REQUESTS,
        goal: { exactly: { ratio: 1 } },
        measured: `requests that ended by themselves with each effect once, while of the calls to four systems 30 % fail, of the erasures the replies to 5 % are lost after their effect and 10 % go on for up to two days, 2 % of their reports come twice, and one system answers nobody for a day`,
        against: 'requests that were made',
        notes: [
          `${report.calls} calls, ${report.effects} effects, ${report.days.toFixed(1)} days in ${report.seconds.toFixed(0)} s`,
          ...report.violations.slice(0, 10),
        ],
      }),
    ];
  },
};

export async function runVirtualDays(bench: Bench, options: VirtualDaysOptions): Promise<VirtualDaysReport> {
  const started = performance.now();
  const postgres = await bench.postgres();
  await createDatabase(postgres.superuserUrl(), 'virtual_days');
  const random = seededRandom(bench.seed);
  const clock = fastClock(options.realDay);
  const begin = clock.now();
  const keys = ['crm', 'lake', 'mail', 'shop'];
  const reports: { to?: (taskId: string, times: 1 | 2) => void } = {};
  const systems = keys.map((key) => {
    const away = key === 'lake' ? { downUntil: new Date(begin.getTime() + DAY_MILLISECONDS) } : {};
    const report = (taskId: string, times: 1 | 2) => reports.to?.(taskId, times);
    return new FlakySystem({ key, clock, troubles: TROUBLES, random, report, ...away });
  });
  const databaseUrl = postgres.superuserUrl('virtual_days');
  const company = await openFlakyCompany({
    databaseUrl,
    clock,
    systems,
    keys,
    random,
    reconcileMilliseconds: 100,
  });
  reports.to = company.report;
  const telling = setInterval(() => {
    for (const system of systems) system.tell();
  }, 50);
  try {
    const arrival = (options.realDay * ARRIVAL_DAYS) / (options.requests / BURST);
    for (let made = 0; made < options.requests; made += BURST) {
      const burst = Array.from({ length: Math.min(BURST, options.requests - made) }, (_, n) => made + n);
      const calls = burst.map((n) => make(company.requests, systems, n));
      await Promise.all([...calls, delay(arrival)]);
    }
    let open = options.requests;
    for (let at = performance.now(); open > 0 && performance.now() - at < STALLED_MILLISECONDS; ) {
      await delay(200);
      const left = await openRequests(company);
      if (left < open) at = performance.now();
      open = left;
    }
    const { completed, violations } = await lookBack(company, systems, options.requests);
    return {
      completed,
      violations: [...violations, ...company.refused.slice(0, 10)],
      calls: sum(systems.map(({ calls }) => calls)),
      effects: sum(systems.map(({ effects }) => effects.size)),
      days: (clock.now().getTime() - begin.getTime()) / DAY_MILLISECONDS,
      seconds: (performance.now() - started) / 1_000,
    };
  } finally {
    clearInterval(telling);
    await company.stop();
  }
}

/** Runs so much faster than ours that a day takes the given time. */
function fastClock(realDay: number): Clock {
  const start = Date.now();
  const began = performance.now();
  return {
    now: () => new Date(start + Math.floor(((performance.now() - began) * DAY_MILLISECONDS) / realDay)),
  };
}

const emailOf = (n: number): string => `person.${n}@example.org`;
const isErasure = (n: number): boolean => n % 3 !== 0;

async function make(
  requests: FlakyCompany['requests'],
  systems: readonly FlakySystem[],
  n: number,
): Promise<void> {
  for (const [index, system] of systems.entries()) if ((n + index) % 4 !== 0) system.people.add(emailOf(n));
  await requests.receive(caller, {
    right: isErasure(n) ? 'erasure' : 'access',
    identities: [{ type: 'email', value: emailOf(n) }],
    dryRun: false,
    idempotencyKey: `request ${n}`,
  });
}

async function openRequests(company: FlakyCompany): Promise<number> {
  const rows = await company.query<{ open: number }>(`
    select count(*)::int as open from requests where state <> 'completed'`);
  return rows[0]?.open ?? 0;
}

async function lookBack(
  company: FlakyCompany,
  systems: readonly FlakySystem[],
  made: number,
): Promise<{ readonly completed: number; readonly violations: readonly string[] }> {
  const violations: string[] = [];
  const states = await company.query<{ state: string; count: number }>(`
    select state, count(*)::int as count from requests group by state`);
  const blocked = await company.query<{ key: string; error_code: string; failures: number }>(`
    select key, error_code, failures from tasks where state = 'blocked' limit 5`);
  for (const task of blocked)
    violations.push(`${task.key} needs a person: ${task.error_code} after ${task.failures} failures`);
  for (let n = 0; n < made; n += 1) {
    for (const [index, { people }] of systems.entries()) {
      const should = !isErasure(n) && (n + index) % 4 !== 0;
      if (people.has(emailOf(n)) !== should)
        violations.push(`person ${n} is ${should ? 'gone from' : 'still in'} system ${index}`);
    }
  }
  // Each erasure has one key for good: a second key would be a second operation.
  const generations = await company.query<{ count: number }>(`
    select count(*)::int as count from tasks where kind = 'erase' and generation > 1`);
  if ((generations[0]?.count ?? 0) > 0) violations.push(`${generations[0]?.count} erasures were done anew`);
  const effects = sum(systems.map((system) => system.effects.size));
  const erasures = await company.query<{ count: number }>(`
    select count(*)::int as count from tasks where kind = 'erase'`);
  if (effects !== erasures[0]?.count) violations.push(`${effects} effects of ${erasures[0]?.count} erasures`);
  return { completed: states.find(({ state }) => state === 'completed')?.count ?? 0, violations };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
