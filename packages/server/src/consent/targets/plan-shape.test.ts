import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTargetHouse, type TargetHouse } from '../../../test/consent/target-house.ts';
import { readTargetState, rebuildBits, rewriteSql, type Target, type TargetState } from './index.ts';

const EVENTS = 120_000;
const PEOPLE = 20_000;

/** What PostgreSQL says of a step of its plan. */
interface Step {
  readonly 'Node Type': string;
  readonly 'Join Type'?: string;
  readonly 'Parent Relationship'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Loops': number;
  readonly Filter?: string;
  readonly Plans?: readonly Step[];
}

let house: TargetHouse;
let byText: Target;
let state: TargetState;

beforeAll(async () => {
  house = await openTargetHouse();
  await house.install();
  await house.shop.query(`
    truncate user_events;
    insert into user_events select i, 'user-' || i % ${PEOPLE}, i % ${PEOPLE}, 's' || i % 40, i % 7 from generate_series(1, ${EVENTS}) i;
    insert into habeas_consent.signatures_user_id (identity, key, granted, denied) overriding system value
    select 'user-' || i, i, case when i % 10 < 7 then 7 else 0 end, case when i % 10 < 7 then 0 else 7 end from generate_series(0, ${PEOPLE - 1}) i;
    update habeas_consent.installed set snapshot = '1:1:', as_of = now()`);
  state = await readTargetState(house.shop, house.target);
  const client = await house.shop.connect();
  await rebuildBits(client, { type: 'user_id', purposes: state.purposes, isNumber: false });
  client.release();
  for (const table of ['user_events', 'habeas_consent.signatures_user_id', 'habeas_consent.bitmaps'])
    await house.shop.query(`vacuum (analyze) ${table}`);
  const tables = house.target.tables.map((table) =>
    table.name === 'user_events' ? { ...table, key: undefined } : table,
  );
  byText = { ...house.target, tables };
});
afterAll(() => house[Symbol.asyncDispose]());

const QUERIES = [
  'select count(*) from user_events',
  'select site, count(distinct user_id) from user_events group by site',
  'select e.site, count(*) from sites s left join user_events e on e.site = s.site group by 1',
];

const SETTINGS = [
  [],
  ['set local enable_seqscan = off'],
  ['set local jit = on', 'set local jit_above_cost = 0'],
  ['set local max_parallel_workers_per_gather = 2', 'set local parallel_setup_cost = 0'],
] as const;

/** All steps of what was really done. */
async function stepsOf(sql: string, settings: readonly string[]): Promise<readonly Step[]> {
  const client = await house.shop.connect();
  try {
    await client.query("begin; set local work_mem = '64MB'");
    for (const setting of settings) await client.query(setting);
    const { rows } = await client.query(`explain (analyze, costs off, timing off, format json) ${sql}`);
    const all: Step[] = [];
    const walk = (step: Step): void => {
      all.push(step);
      step.Plans?.forEach(walk);
    };
    walk(rows[0]['QUERY PLAN'][0].Plan);
    return all;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const reads = (steps: readonly Step[], table: string) =>
  steps.filter((step) => step['Relation Name'] === table);

const each = QUERIES.flatMap((query) =>
  SETTINGS.flatMap((settings) =>
    (['analytics', 'advertising'] as const).map((purpose) => [query, settings.join('; '), purpose] as const),
  ),
);

it.each(each)(
  'reads a bitmap once and asks it for each row, by number: %s, with %s, for %s',
  async (query, settings, purpose) => {
    const { sql, relations } = await rewriteSql(query, { target: house.target, state, purpose });
    expect(relations[0]?.form).toBe('bitmap');
    const steps = await stepsOf(sql, settings === '' ? [] : settings.split('; '));
    const bitmaps = reads(steps, 'bitmaps');
    expect(bitmaps.length).toBeGreaterThan(0);
    // Each worker of a parallel plan is given the value that was made before it began.
    for (const step of [...bitmaps, ...reads(steps, 'filled')])
      expect(step['Actual Loops']).toBeLessThanOrEqual(1);
    // Everybody has a number: nobody is looked up by their identity.
    for (const step of reads(steps, 'signatures_user_id'))
      expect(step['Actual Loops']).toBeLessThanOrEqual(1);
    for (const step of reads(steps, 'user_events')) expect(step.Filter ?? '').toContain('get_bit');
  },
);

it.each(each)(
  'hashes who agreed or refused once, by text: %s, with %s, for %s',
  async (query, settings, purpose) => {
    const { sql, relations } = await rewriteSql(query, { target: byText, state, purpose });
    expect(relations[0]?.form).toBe(purpose === 'analytics' ? 'exists' : 'not-exists');
    const steps = await stepsOf(sql, settings === '' ? [] : settings.split('; '));
    const joins = steps.filter((step) => /Join|Loop/.test(step['Node Type']));
    expect(joins.map((step) => step['Node Type'])).not.toContain('Nested Loop');
    expect(
      joins.some(
        (step) => /Hash|Merge/.test(step['Node Type']) && /Left|Right/.test(step['Join Type'] ?? ''),
      ),
    ).toBe(true);
    for (const { Filter = '' } of steps)
      expect(Filter.replaceAll('hashed SubPlan', '')).not.toContain('SubPlan');
    // Once, or once in each of three processes.
    for (const step of reads(steps, 'signatures_user_id'))
      expect(step['Actual Loops']).toBeLessThanOrEqual(3);
  },
);
