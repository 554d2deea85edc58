import { api } from '@habeas/contract';
import { openDatabase } from '../packages/server/src/foundation/index.ts';
import type { Benchmark } from './benchmark.ts';
import { type Figure, judge } from './figure.ts';
import { prepareState } from './habeas-state.ts';
import { LARGE_MAP_ORGANIZATION, type LargeMap, largeMap, pollAgain, storeHistory } from './large-map.ts';
import { type MapServer, serveMap } from './map-server.ts';
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
    const postgres = await bench.postgres();
    await createDatabase(postgres.superuserUrl(), DATABASE);
    const databaseUrl = postgres.superuserUrl(DATABASE);
    const organizationId = LARGE_MAP_ORGANIZATION;
    const dataDir = bench.folder('map-answers');
    const { key } = await prepareState({ databaseUrl, organizationId, dataDir });
    const opened = openDatabase({ url: databaseUrl });
    try {
      const map = largeMap(seededRandom(bench.seed), new Date());
      bench.say('storing a million intervals');
      await storeHistory(opened, map);
      const poll = await quietPoll({ opened, map });
      bench.say('asking');
      await using server = await serveMap({ bench, map, databaseUrl, key });
      return [...(await measure({ bench, opened, map, server })), poll];
    } finally {
      await opened.close();
    }
  },
};

interface StoredMap {
  readonly opened: ReturnType<typeof openDatabase>;
  readonly map: LargeMap;
}

interface MeasureOptions extends StoredMap {
  readonly bench: Parameters<Benchmark['run']>[0];
  readonly server: MapServer;
}

async function measure({ bench, opened, map, server }: MeasureOptions): Promise<readonly Figure[]> {
  const random = seededRandom(bench.seed + 1);
  const some = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const moment = () =>
    new Date(map.from.getTime() + random() * (map.now.getTime() - map.from.getTime())).toISOString();
  const questions: Readonly<Record<string, () => api.MapQuery>> = {
    'map-filtered': () =>
      some<() => api.MapQuery>([
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
      const path = name === 'map-changes' ? '/api/v1/map/changes' : '/api/v1/map';
      const { milliseconds, result } = await timed(() => server.ask(path, asked));
      taken.get(name)?.push(milliseconds);
      const schema = name === 'map-changes' ? api.mapDifferenceSchema : api.mapSchema;
      if (round === 0) schema.parse(JSON.parse(result.toString()));
    }
  }
  const figures = [...taken].map(([name, times]) =>
    judge({
      name,
      value: quantile(times, 0.95),
      unit: 'ms',
      baseline: quantile(plain, 0.95),
      goal: { value: 100 },
      measured: `${ABOUT.get(name)}, asked of the REST API of a server that has just started, to the last byte; p95 of ${ROUNDS}`,
      against: 'p95 of one plain select of the same 10,000 open rows with the same driver, nothing computed',
      notes: [
        `median ${median(times).toFixed(0)} ms, of the select ${median(plain).toFixed(0)} ms; the first ${times[0]?.toFixed(0)} ms, the most ${Math.max(...times).toFixed(0)} ms; ${server.peakMemory().toFixed(0)} MB`,
      ],
    }),
  );
  return [...figures, await closures(server, map)];
}

const ABOUT: ReadonlyMap<string, string> = new Map([
  ['map-filtered', 'the map of now, whole or by team, service, data type, category or external'],
  ['map-as-of', 'the whole map as it was at a random moment'],
  ['map-changes', 'what changed between two random moments'],
]);

async function selectOpen(pool: MeasureOptions['opened']['pool']): Promise<void> {
  const { rows } = await pool.query(
    `select source, declaration, kind, team, service, to_service, data_type, first_seen
     from map_declarations where organization_id = $1 and last_seen is null`,
    [LARGE_MAP_ORGANIZATION],
  );
  if (rows.length < 10_000) throw new Error('The open rows are missing.');
}

async function closures(server: MapServer, map: LargeMap): Promise<Figure> {
  const all: number[] = [];
  const each: number[] = [];
  for (let run = 0; run < CLOSURES; run += 1) {
    const { milliseconds, result } = await timed(() => server.ask('/api/v1/map/impacts', {}));
    all.push(milliseconds);
    const naive = await timed(() => walkEach(map));
    each.push(naive.milliseconds);
    for (const { service, downstream } of impactsOf(result)) {
      if (naive.result.get(service) !== downstream) throw new Error(`${service} reaches others.`);
    }
  }
  return judge({
    name: 'map-closures',
    value: median(all),
    unit: 'ms',
    baseline: median(each),
    goal: { value: 1_000 },
    measured: `upstream and downstream of every service along every data type, asked of the REST API; median of ${CLOSURES}`,
    against: 'a breadth-first walk from every service along every data type, downstream only, in memory',
  });
}

function impactsOf(body: Buffer): api.ImpactListView['items'] {
  return api.impactListSchema.parse(JSON.parse(body.toString())).items;
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

async function quietPoll({ opened, map }: StoredMap): Promise<Figure> {
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
