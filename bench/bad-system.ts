import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../packages/server/src/foundation/index.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { caller, openFlakyCompany } from './flaky-company.ts';
import { FlakySystem } from './flaky-system.ts';
import { createDatabase } from './on-database.ts';
import { seededRandom } from './seeded-random.ts';
import { median } from './statistics.ts';

const REQUESTS = 1_000;
/** A request each 40 ms: work that the server has time for. */
const PAUSE_MILLISECONDS = 40;
const RUNS = 3;
const PATIENCE_MILLISECONDS = 60_000;
const NO_TROUBLE = { transient: 0, lostReplies: 0, asynchronous: 0, duplicates: 0 };
const GOOD = ['crm', 'mail', 'shop'];
/** Answers nobody in one of the runs. */
const FOURTH = 'lake';
type Fourth = 'answers' | 'answers nobody' | 'is not there';

/** How much longer tasks take because another system answers nobody. */
export const badSystem: Benchmark = {
  name: 'bad-system',
  about: `${REQUESTS} requests over four systems, one of which answers nobody`,
  async run(bench) {
    const taken: Record<Fourth, number[]> = { answers: [], 'answers nobody': [], 'is not there': [] };
    for (let run = 1; run <= RUNS; run += 1) {
      bench.say(`run ${run} of ${RUNS}`);
      for (const fourth of ['answers', 'answers nobody', 'is not there'] as const)
        taken[fourth].push(await slowestTasks(bench, fourth));
    }
    return [
      judge({
        name: 'bad-system',
        value: median(taken['answers nobody']),
        unit: 'ms',
        baseline: median(taken.answers),
        goal: { ratio: 1.1 },
        measured: `from the receipt of a request to the end of its tasks on three systems, while a fourth one answers nobody and is tried again and again; p95 over ${REQUESTS} requests, median of ${RUNS}`,
        against: 'the same while all four answer',
        notes: [
          Object.entries(taken)
            .map(
              ([fourth, values]) =>
                `the fourth ${fourth}: ${values.map((ms) => ms.toFixed(0)).join(', ')} ms`,
            )
            .join('; '),
        ],
      }),
    ];
  },
};

/** p95 in milliseconds of the tasks on the three systems that always answer. */
async function slowestTasks(bench: Bench, fourth: Fourth): Promise<number> {
  const keys = fourth === 'is not there' ? GOOD : [...GOOD, FOURTH];
  const postgres = await bench.postgres();
  await createDatabase(postgres.superuserUrl(), 'bad_system');
  const random = seededRandom(bench.seed);
  const away = { downUntil: new Date(8.64e15) };
  const systems = keys.map(
    (key) =>
      new FlakySystem({
        key,
        clock: systemClock,
        troubles: NO_TROUBLE,
        random,
        report: () => undefined,
        ...(key === FOURTH && fourth === 'answers nobody' ? away : {}),
      }),
  );
  const company = await openFlakyCompany({
    databaseUrl: postgres.superuserUrl('bad_system'),
    clock: systemClock,
    systems,
    keys,
    random,
  });
  try {
    const calls: Promise<unknown>[] = [];
    for (let n = 0; n < REQUESTS; n += 1) {
      const value = `person.${n}@example.org`;
      for (const { people } of systems) people.add(value);
      const identities = [{ type: 'email', value }];
      calls.push(company.requests.receive(caller, { right: 'access', identities, dryRun: false }));
      await delay(PAUSE_MILLISECONDS);
    }
    await Promise.all(calls);
    for (const end = Date.now() + PATIENCE_MILLISECONDS; Date.now() < end; await delay(100)) {
      const rows = await company.query<{ ended: number; slow: number }>(`
        select count(*)::int as ended,
          percentile_cont(0.95) within group (order by extract(epoch from t.ended_at - r.received_at) * 1000)::float8 as slow
        from tasks t
        join requests r on r.organization_id = t.organization_id and r.id = t.request_id
        where t.kind = 'collect' and t.system <> '${FOURTH}' and t.state = 'succeeded'`);
      const [row] = rows;
      if (row !== undefined && row.ended === REQUESTS * GOOD.length) return row.slow;
    }
    throw new Error('the tasks on the other systems did not end');
  } finally {
    await company.stop();
  }
}
