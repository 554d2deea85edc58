import { describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { type PrometheusServer, startPrometheus } from '../../../test/prometheus-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { auditMigrations } from '../../audit/index.ts';
import { createLogger, fixedClock, parseConfig } from '../../foundation/index.ts';
import { notifyMigrations } from '../../notify/index.ts';
import { createMap } from '../create-map.ts';
import { mapMigrations } from '../migrations.ts';
import type { MapTables } from '../tables.ts';
import { join } from './merge-history.ts';
import type { SourceTables } from './tables.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...mapMigrations };
const areThere = requireProgram('prometheus') !== undefined && requireProgram('promtool') !== undefined;

const START = Date.parse('2026-03-01T00:00:00Z');
const HOUR = 3_600_000;
const POLLED = new Date(START + 72 * HOUR);

interface Line {
  readonly text: string;
  /** From and until which hour there are samples. */
  readonly hours: readonly (readonly [number, number])[];
  readonly value?: number;
}

const target = 'job="apps",instance="one:80"';
const dead = 'job="apps",instance="two:80"';
const store = (type: string, labels = target) =>
  `store{team="data",service="bigtable",data_type="${type}",${labels}}`;

const LINES: readonly Line[] = [
  { text: `up{${target}}`, hours: [[0, 73]] },
  { text: `up{${dead}}`, hours: [[0, 30]] },
  // From hour 30 on the second target does not answer any more, until it comes back at hour 40 for a while.
  { text: `up{${dead}}`, hours: [[30, 40]], value: 0 },
  { text: `up{${dead}}`, hours: [[40, 50]] },
  { text: `up{${dead}}`, hours: [[50, 73]], value: 0 },
  { text: store('always'), hours: [[0, 73]] },
  { text: store('first-day'), hours: [[2.5, 20.5]] },
  {
    text: store('twice'),
    hours: [
      [5, 10.2],
      [30, 73],
    ],
  },
  {
    text: store('bridged', dead),
    hours: [
      [10, 30],
      [40, 50],
    ],
  },
  { text: store('lost', dead), hours: [[10, 30]] },
];

function history(): string {
  const families = Map.groupBy(LINES, ({ text }) => text.slice(0, text.indexOf('{')));
  const samples = [...families].map(([family, lines]) => {
    const found = lines.flatMap(({ text, hours, value = 1 }) =>
      hours.flatMap(([from, to]) => {
        const times: string[] = [];
        for (let at = START + from * HOUR; at < START + to * HOUR; at += HOUR / 12)
          times.push(`${text} ${value} ${at / 1_000}\n`);
        return times;
      }),
    );
    return `# TYPE ${family} gauge\n${found.join('')}`;
  });
  return `${samples.join('')}# EOF\n`;
}

async function withHistory(
  scope: AsyncDisposableStack,
): Promise<{ server: PrometheusServer; database: TestDatabase }> {
  const server = scope.use(await startPrometheus({ config: {}, history: history() }));
  return { server, database: scope.use(await createTestDatabase(migrations)) };
}

function open(database: TestDatabase, server: PrometheusServer, at = POLLED) {
  const text = JSON.stringify({
    map: { prometheus: [{ url: server.url, name: 'prod', window: '10m', backfill: '3d' }] },
  });
  const config = parseConfig({ text, file: 'habeas.yaml', environment: {} });
  const clock = fixedClock(at);
  const map = createMap({
    db: database.db,
    clock,
    organizationId: 'acme',
    config,
    logger: createLogger({ level: 'silent' }),
  });
  return { map, clock };
}

/** data type → its intervals in hours since the start; undefined: it has not ended. */
async function hoursOf(database: TestDatabase) {
  const rows = await database.db
    .withTables<MapTables>()
    .selectFrom('map_declarations')
    .select(['data_type', 'first_seen', 'last_seen'])
    .orderBy('first_seen')
    .execute();
  const hour = (time: Date | null) => (time === null ? undefined : (time.getTime() - START) / HOUR);
  const groups = Map.groupBy(rows, (row) => row.data_type ?? '');
  return Object.fromEntries(
    [...groups].map(([type, all]) => [type, all.map((row) => [hour(row.first_seen), hour(row.last_seen)])]),
  );
}

const EXPECTED = {
  always: [[0, undefined]],
  'first-day': [[2, 21]],
  twice: [
    [4, 11],
    [29, undefined],
  ],
  bridged: [[9, undefined]],
  // Its target came back without it at hour 40.
  lost: [[9, 39]],
};

describe.skipIf(!areThere).concurrent('the history of a Prometheus server', () => {
  it('is read once, to the hour, by the rules of polls, and goes on where polls began', async () => {
    await using scope = new AsyncDisposableStack();
    const { server, database } = await withHistory(scope);
    const { map, clock } = open(database, server);
    await map.backfill();
    expect(await hoursOf(database)).toEqual({});
    await map.poll();
    expect(await hoursOf(database)).toEqual({ always: [[72, undefined]], twice: [[72, undefined]] });
    await map.backfill();
    expect(await hoursOf(database)).toEqual(EXPECTED);
    await map.backfill();
    clock.advance(60_000);
    await map.poll();
    expect(await hoursOf(database)).toEqual(EXPECTED);
  });

  it('is read to its end by whoever goes on, also by two at once, and day by day', async () => {
    await using scope = new AsyncDisposableStack();
    const { server, database } = await withHistory(scope);
    const { map } = open(database, server);
    await map.poll();
    // Only one day; then the server of Habeas ends.
    const progress = () =>
      database.db
        .withTables<SourceTables>()
        .selectFrom('map_backfill')
        .select('cursor_at')
        .executeTakeFirst();
    const cut = open(database, server).map;
    const running = cut.backfill();
    await expect
      .poll(async () => (await progress())?.cursor_at.getTime(), { timeout: 20_000, interval: 5 })
      .toBeGreaterThanOrEqual(START + 24 * HOUR);
    await server.kill();
    await running;
    const cursor = (await progress())?.cursor_at.getTime() ?? 0;
    expect(cursor % (24 * HOUR)).toBe(START % (24 * HOUR));
    await server.start();
    await Promise.all([open(database, server).map.backfill(), open(database, server).map.backfill()]);
    expect((await progress())?.cursor_at).toEqual(POLLED);
    expect(await hoursOf(database)).toEqual(EXPECTED);
  });

  it('is read up to where polls took over, and changes nothing of what they saw', async () => {
    await using scope = new AsyncDisposableStack();
    const { server, database } = await withHistory(scope);
    const { map, clock } = open(database, server, new Date(START + 15 * HOUR));
    await map.poll();
    clock.advance(10 * HOUR);
    await map.poll();
    const polled = await hoursOf(database);
    expect(polled).toMatchObject({
      'first-day': [[15, 15]],
      always: [[15, undefined]],
      lost: [[15, undefined]],
    });
    await map.backfill();
    expect(await hoursOf(database)).toEqual({
      // The sample at the very hour may be of the hour before.
      always: [[-1, undefined]],
      'first-day': [[2, 15]],
      twice: [[4, 11]],
      bridged: [[9, undefined]],
      lost: [[9, undefined]],
    });
  });
});

describe('joining intervals', () => {
  const span = (from: number, to?: number) => ({
    from: new Date(from),
    to: to === undefined ? undefined : new Date(to),
  });
  it('makes one of those that overlap or touch, and leaves others apart', () => {
    expect(join([span(5, 7), span(1, 2), span(7, 9), span(3, 4)])).toEqual([
      span(1, 2),
      span(3, 4),
      span(5, 9),
    ]);
    expect(join([span(1, 9), span(2, 3), span(9)])).toEqual([span(1)]);
  });
});
