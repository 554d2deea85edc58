import { api } from '@habeas/contract';
import { auditMigrations } from '../packages/server/src/audit/index.ts';
import { fixedClock, migrate, openDatabase } from '../packages/server/src/foundation/index.ts';
import { createAnswers, mapMigrations } from '../packages/server/src/map/index.ts';
import { notifyMigrations } from '../packages/server/src/notify/index.ts';
import type { Benchmark } from './benchmark.ts';
import { type Figure, judge } from './figure.ts';
import { type LargeMap, largeMap, pollAgain, storeHistory } from './large-map.ts';
import { createDatabase } from './on-database.ts';
import { seededRandom } from './seeded-random.ts';
import { median, quantile, timed } from './statistics.ts';

const ROUNDS = 60;
const CLOSURES = 5;
const DATABASE = 'map_answers';

/** How long answers about a large map with a long history take. */
export const mapAnswers: Benchmark = {
  name: 'map-answers',
  about: 'ask a map of 10,000 flows with 1,000,000 stored intervals',
  async run(bench) {
    const server = await bench.postgres();
    await createDatabase(server.url('habeas'), DATABASE);
    const opened = openDatabase({ url: server.url(DATABASE) });
    try {
      await migrate(opened.db, { ...auditMigrations, ...notifyMigrations, ...mapMigrations });
      const map = largeMap(seededRandom(bench.seed));
      bench.say('storing a million intervals');
      await storeHistory(opened, map);
      return await measure({ bench, opened, map });
    } finally {
      await opened.close();
    }
  },
};

interface MeasureOptions {
  readonly bench: Parameters<Benchmark['run']>[0];
  readonly opened: ReturnType<typeof openDatabase>;
  readonly map: LargeMap;
}

async function measure({ bench, opened, map }: MeasureOptions): Promise<readonly Figure[]> {
  const random = seededRandom(bench.seed + 1);
  const answers = createAnswers({
    db: opened.db,
    clock: fixedClock(map.now.toISOString()),
    organizationId: 'default',
    configured: () => new Set(map.sources),
    connections: [],
    categoryOf: (dataType) => map.categories.get(dataType),
    external: new Set(),
  });
  const some = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const moment = () =>
    new Date(map.from.getTime() + random() * (map.now.getTime() - map.from.getTime())).toISOString();
  const questions = {
    'map-filtered': () =>
      some<() => api.MapFilter>([
        () => ({}),
        () => ({ team: some(map.teams) }),
        () => ({ service: some(map.services) }),
        () => ({ data_type: some(map.dataTypes) }),
        () => ({ category: 'user.contact' }),
        () => ({ external: 'true' }),
      ])(),
    'map-as-of': () => ({ as_of: moment() }),
    'map-changes': () => ({ as_of: moment(), compare_to: moment() }),
  };
  const plain: number[] = [];
  const taken = new Map<string, number[]>(Object.keys(questions).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    plain.push((await timed(() => selectOpen(opened.pool))).milliseconds);
    for (const [name, question] of Object.entries(questions)) {
      const asked = question();
      const { milliseconds, result } = await timed(async () => JSON.stringify(await answers.map(asked)));
      taken.get(name)?.push(milliseconds);
      if (round === 0) api.mapSchema.parse(JSON.parse(result));
    }
  }
  const figures = [...taken].map(([name, times]) =>
    judge({
      name,
      value: quantile(times, 0.95),
      unit: 'ms',
      baseline: quantile(plain, 0.95),
      goal: { value: 100 },
      measured: `${ABOUT.get(name)}, as JSON; p95 of ${ROUNDS}`,
      against: 'p95 of one plain select of the same 10,000 open rows with the same driver, nothing computed',
      notes: [`median ${median(times).toFixed(0)} ms, of the select ${median(plain).toFixed(0)} ms`],
    }),
  );
  return [...figures, await closures(answers, map), await quietPoll({ bench, opened, map })];
}

const ABOUT: ReadonlyMap<string, string> = new Map([
  ['map-filtered', 'the map of now, whole or by team, service, data type, category or external'],
  ['map-as-of', 'the whole map as it was at a random moment'],
  ['map-changes', 'what changed between two random moments, and the whole map of one'],
]);

async function selectOpen(pool: MeasureOptions['opened']['pool']): Promise<void> {
  const { rows } = await pool.query(
    `select source, declaration, kind, team, service, to_service, data_type, first_seen
     from map_declarations where organization_id = 'default' and last_seen is null`,
  );
  if (rows.length < 10_000) throw new Error('The open rows are missing.');
}

async function closures(answers: ReturnType<typeof createAnswers>, map: LargeMap): Promise<Figure> {
  const all: number[] = [];
  const each: number[] = [];
  for (let run = 0; run < CLOSURES; run += 1) {
    const { milliseconds, result } = await timed(() => answers.impacts());
    all.push(milliseconds);
    const naive = await timed(() => walkEach(map));
    each.push(naive.milliseconds);
    for (const { service, downstream } of result.items) {
      if (naive.result.get(service) !== downstream) throw new Error(`${service} reaches others.`);
    }
  }
  return judge({
    name: 'map-closures',
    value: median(all),
    unit: 'ms',
    baseline: median(each),
    goal: { value: 1_000 },
    measured: `upstream and downstream of every service along every data type, read from the database; median of ${CLOSURES}`,
    against: 'a breadth-first walk from every service along every data type, downstream only, in memory',
  });
}

/** How many services each one reaches, one walk for each service and data type. */
function walkEach(map: LargeMap): ReadonlyMap<string, number> {
  const targets = new Map<string, Map<string, string[]>>();
  for (const declaration of map.declarations) {
    if (declaration.kind !== 'transmit') continue;
    const ofType = targets.get(declaration.dataType) ?? new Map<string, string[]>();
    targets.set(declaration.dataType, ofType);
    ofType.set(declaration.service, [...(ofType.get(declaration.service) ?? []), declaration.toService]);
  }
  return new Map(
    map.services.map((service) => {
      const reached = new Set<string>();
      for (const ofType of targets.values()) {
        const walked = [service];
        const seen = new Set(walked);
        for (const at of walked) {
          for (const next of ofType.get(at) ?? []) {
            if (seen.has(next)) continue;
            seen.add(next);
            reached.add(next);
            // The array grows while it is walked: it is the queue.
            walked.push(next);
          }
        }
      }
      return [service, reached.size];
    }),
  );
}

async function quietPoll({ opened, map }: MeasureOptions): Promise<Figure> {
  const written = async () => {
    await opened.pool.query('select pg_stat_force_next_flush()');
    const { rows } = await opened.pool.query<{ written: string }>(
      `select sum(n_tup_ins + n_tup_upd + n_tup_del) as written
       from pg_stat_user_tables where schemaname = 'habeas'`,
    );
    return Number(rows[0]?.written);
  };
  const before = await written();
  const { milliseconds } = await timed(() => pollAgain(opened.db, map));
  const rows = (await written()) - before;
  return judge({
    name: 'map-quiet-poll',
    value: rows,
    unit: 'rows',
    baseline: map.sources.length,
    goal: { exactly: { ratio: 1 } },
    measured: `rows written, in all tables, by one poll of ${map.sources.length} sources in which nothing changed`,
    against: 'one heartbeat for each source',
    notes: [
      `all ${map.declarations.length} declarations compared and stored in ${milliseconds.toFixed(0)} ms`,
    ],
  });
}
