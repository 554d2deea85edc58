import { readFileSync } from 'node:fs';
import pg from 'pg';
import {
  applyInstall,
  readTargetState,
  rebuildBits,
  rewriteSql,
  roleOf,
  type Target,
} from '../packages/server/src/consent/index.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Figure, judge } from './figure.ts';
import { createDatabase } from './on-database.ts';
import { median } from './statistics.ts';

const EVENTS = 10_000_000;
const PEOPLE = 1_000_000;
const PURPOSES = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'];
const RUNS = 5;

/**
 * What the events of a web page carry beside whose they are. With them the join of `user_consent` costs what is usual, a fourth of `count(distinct)` and
 * four fifths of `count(*)`; of events that had nothing but a person, a site and a time it would cost three times the whole statement.
 */
const EVENT_COLUMNS = `url text not null, referrer text not null, user_agent text not null, ip inet not null, session_id uuid not null, properties jsonb not null`;
const EVENT_VALUES = `'https://www.example.com/products/' || (i % 10000) || '/details?variant=' || i % 7,
  'https://search.example.org/?q=garden+chair+' || (i % 5000) || '&page=' || i % 3,
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || 120 + i % 20 || '.0.0.0 Safari/537.36',
  inet '10.0.0.0' + k, md5(k || '/' || i / 200000)::uuid,
  jsonb_build_object('position', i % 24, 'price_cents', i % 90000, 'currency', 'EUR', 'list', 'recommended for you')`;

/** Of a sixth of the events, and of four fifths of these. */
const WHERE = `organization_id = 'acme' and at >= '2026-03-01' and at < '2026-03-31'`;
const QUERIES = {
  distinct: (table: string) =>
    `select event_site, count(distinct user_id) from ${table} as user_events where ${WHERE} group by event_site`,
  count: (table: string) => `select count(*) from ${table} as user_events where ${WHERE}`,
};

/** The state as it is stored elsewhere: a row for each person and purpose. It is also what the right answers are. */
const EAV = `(select e.* from user_events as e join user_consent as c
  on c.organization_id = e.organization_id and c.user_id = e.user_id and c.purpose = 'p0' and c.value)`;

/** More processor time than the raw statement may take, as a ratio: by number and by text. */
const GOALS = {
  distinct: { key: 1, text: 1.15 },
  count: { key: 1.1, text: 1.6 },
} as const;
const WITHIN_POINTS = 0.05;

/** What it costs a job of ten million events to see only those who agreed. */
export const consentEnforce: Benchmark = {
  name: 'consent-enforce',
  about: `count ${EVENTS.toLocaleString('en')} events of ${PEOPLE.toLocaleString('en')} people who agreed to a purpose, or not`,
  async run(bench) {
    const postgres = await bench.postgres();
    await createDatabase(postgres.superuserUrl(), 'consent_enforce');
    const client = new pg.Client({ connectionString: postgres.superuserUrl('consent_enforce') });
    const pool = new pg.Pool({ connectionString: postgres.superuserUrl('consent_enforce'), max: 1 });
    await client.connect();
    try {
      await fill(bench, client);
      const byKey = await measure({ bench, client, pool, how: 'key' });
      const byText = await measure({ bench, client, pool, how: 'text' });
      return [...byKey, ...byText];
    } finally {
      await pool.end();
      await client.end();
    }
  },
};

function targetOf(how: 'key' | 'text'): Target {
  const table = { schema: 'public', name: 'user_events', identity: 'user_id', column: 'user_id' };
  return {
    key: 'bench',
    organizationId: 'acme',
    tables: [{ kind: 'protected', ...table, key: how === 'key' ? 'user_key' : undefined }],
    functions: [],
    numbers: new Set(),
    rowSecurity: true,
    purposes: PURPOSES.map((code) => ({ code, optOut: code === 'p7' })),
  };
}

async function fill(bench: Bench, client: pg.Client): Promise<void> {
  bench.say('making events and what people said');
  await client.query(`
    set synchronous_commit = off; set maintenance_work_mem = '512MB'; set max_parallel_maintenance_workers = 0;
    select setseed(0.42);
    create unlogged table user_events (id bigint, organization_id text not null, event_site text not null, event_type text not null,
      user_id text not null, user_key integer not null, ${EVENT_COLUMNS}, at timestamptz not null);
    insert into user_events
    select i, case when i % 5 = 0 then 'other' else 'acme' end, 'site-' || (i * 7919 % 40), case when i % 4 = 0 then 'click' else 'view' end,
      'user-' || k, k, ${EVENT_VALUES}, timestamptz '2026-01-01' + i * interval '1.5552 s'
    from (select i, floor(${PEOPLE} * power(random(), 1.5))::integer as k from generate_series(1::bigint, ${EVENTS}) as i) as g;
    create temp table said as select k, (select bit_or(case when (hashint8(k::bigint * 8 + p) & 1023) < case when p = 7 then 993 else 716 end then 1 << p else 0 end)
      from generate_series(0, 7) as p)::bigint as granted from generate_series(0, ${PEOPLE - 1}) as k;
    create unlogged table user_consent (organization_id text, user_id text, purpose text, value boolean);
    insert into user_consent select 'acme', 'user-' || k, 'p' || p, (granted >> p) & 1 = 1 from said, generate_series(0, 7) as p;
    alter table user_consent add primary key (organization_id, user_id, purpose)`);
  await client.query('vacuum (analyze) user_events');
  await client.query('vacuum (analyze) user_consent');
  const { rows } = await client.query<{ bytes: number }>(
    `select (pg_table_size('user_events') / ${EVENTS})::integer as bytes`,
  );
  bench.say(`an event has ${rows[0]?.bytes} bytes`);
}

interface MeasureOptions {
  readonly bench: Bench;
  readonly client: pg.Client;
  readonly pool: pg.Pool;
  readonly how: 'key' | 'text';
}

/** A statement, and as whom it is run. */
interface Form {
  readonly sql: (query: (table: string) => string) => Promise<string> | string;
  readonly before?: string;
  readonly after?: string;
}

async function measure({ bench, client, pool, how }: MeasureOptions): Promise<readonly Figure[]> {
  const target = targetOf(how);
  await install(client, target);
  const state = await readTargetState(pool, target);
  const role = `"${roleOf(target, 'rows')}"`;
  const reader = `"${roleOf(target, 'p0')}"`;
  const forms: Readonly<Record<string, Form>> = {
    raw: { sql: (query) => query('user_events') },
    rewritten: {
      sql: async (query) => (await rewriteSql(query('user_events'), { target, state, purpose: 'p0' })).sql,
    },
    'row security': {
      sql: (query) => query('public.user_events'),
      before: `set role ${role}; set habeas.purpose = 'p0'`,
      after: 'reset role; reset habeas.purpose',
    },
    view: {
      sql: (query) => query('purpose_p0.user_events'),
      before: `set role ${reader}`,
      after: 'reset role',
    },
    'user_consent joined': { sql: (query) => query(EAV) },
  };
  const cpu = await processorTime(client);
  await client.query(`set max_parallel_workers_per_gather = 0; set jit = off; set work_mem = '256MB'`);
  const figures: Figure[] = [];
  for (const [kind, query] of Object.entries(QUERIES) as [
    keyof typeof QUERIES,
    (table: string) => string,
  ][]) {
    bench.say(`${kind}, by ${how}`);
    const times = new Map<string, number[]>();
    const answers = new Map<string, string>();
    // The first round warms up.
    for (let run = 0; run <= RUNS; run += 1) {
      for (const [name, { sql, before, after }] of Object.entries(forms)) {
        const text = await sql(query);
        if (before !== undefined) await client.query(before);
        const start = cpu();
        const { rows } = await client.query({ text, rowMode: 'array' });
        if (run > 0) times.set(name, [...(times.get(name) ?? []), cpu() - start]);
        if (after !== undefined) await client.query(after);
        answers.set(
          name,
          rows
            .map((row) => JSON.stringify(row))
            .sort()
            .join('\n'),
        );
      }
    }
    figures.push(...figuresOf({ kind, how, times, wrong: wrongOf(answers) }));
  }
  return figures;
}

/** Forms whose answer is not the one of the join. */
function wrongOf(answers: ReadonlyMap<string, string>): readonly string[] {
  const right = answers.get('user_consent joined');
  if (answers.get('raw') === right) throw new Error('Nobody refused: nothing is measured.');
  return [...answers].flatMap(([name, answer]) => (name === 'raw' || answer === right ? [] : [name]));
}

function figuresOf({
  kind,
  how,
  times,
  wrong,
}: {
  readonly kind: keyof typeof QUERIES;
  readonly how: 'key' | 'text';
  readonly times: ReadonlyMap<string, readonly number[]>;
  readonly wrong: readonly string[];
}): readonly Figure[] {
  if (wrong.length > 0) throw new Error(`wrong answers of ${kind} by ${how}: ${wrong.join(', ')}`);
  const of = (name: string) => median(times.get(name) ?? []);
  const raw = of('raw');
  const ratiosOf = (figure: (values: readonly number[]) => number) => {
    const base = figure(times.get('raw') ?? []);
    return [...times].map(([name, values]) => `${name} ${(figure(values) / base).toFixed(2)}`).join(', ');
  };
  const what = `${kind === 'count' ? 'count(*)' : 'count(distinct user_id) by site'} over 30 days, people by ${how === 'key' ? 'their number' : 'a text'}`;
  const common = {
    unit: 'ms',
    baseline: raw,
    against: `the same statement for everybody; median of ${RUNS}`,
  };
  return [
    judge({
      ...common,
      name: `consent-enforce-${how}-${kind}`,
      value: of('rewritten'),
      goal: { ratio: GOALS[kind][how] },
      measured: `${what}, rewritten for a purpose that 70 % agreed to: processor time of the backend, median of ${RUNS}`,
      notes: [
        `to the raw statement: ${ratiosOf(median)}; all with one answer`,
        `the least of ${RUNS}, which other work disturbs least: ${ratiosOf((values) => Math.min(...values))}`,
      ],
    }),
    judge({
      ...common,
      name: `consent-enforce-${how}-${kind}-rows`,
      value: of('row security'),
      goal: { ratio: of('rewritten') / raw + WITHIN_POINTS },
      measured: `${what}, by row security; within five points of the rewritten one`,
    }),
  ];
}

/** Milliseconds that the backend of this connection was on a processor. */
async function processorTime(client: pg.Client): Promise<() => number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const file = `/proc/${rows[0]?.pid}/schedstat`;
  return () => Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6;
}

/** As a sync would have left it. */
async function install(client: pg.Client, target: Target): Promise<void> {
  const { purposes } = await applyInstall(client, target);
  const { rows } = await client.query<{ count: number }>(
    'select count(*)::integer as count from habeas_consent.signatures_user_id',
  );
  if (rows[0]?.count !== 0) return;
  await client.query(`
    insert into habeas_consent.signatures_user_id (identity, key, granted, denied) overriding system value
    select 'user-' || k, k, granted, ~granted & 255 from said;
    update habeas_consent.installed set snapshot = '1:1:', as_of = now()`);
  await rebuildBits(client, { type: 'user_id', purposes, isNumber: false });
  await client.query('vacuum (analyze) habeas_consent.signatures_user_id');
  await client.query('vacuum (analyze) habeas_consent.bitmaps');
}
