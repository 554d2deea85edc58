import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  openTargetHouse,
  PEOPLE,
  PURPOSES,
  type Said,
  type TargetHouse,
  TYPES,
} from '../../../test/consent/target-house.ts';
import { applyInstall, readTargetState, rewriteSql, type Target } from './index.ts';

let house: TargetHouse;
beforeAll(async () => {
  house = await openTargetHouse();
  await house.install();
});
afterAll(() => house[Symbol.asyncDispose]());

const QUERIES = [
  'select * from user_events',
  'select site, count(distinct user_id), sum(n) from user_events group by site',
  'select * from letters',
  'select * from orders',
  'select * from accounts',
  'select a.id, e.id from accounts a full join user_events e on e.id = a.id and a.total > 2',
  'select count(*) from orders o full join user_events e on e.id = o.id',
  'select s.owner, (select count(*) from user_events e where e.site = s.site), (select sum(total) from orders o where o.site = s.site) from sites s',
  'select e.id, l.address from user_events e left join letters l on l.id = e.id and l.words > 3',
] as const;

async function rowsOf(sql: string, before: readonly string[] = []): Promise<readonly string[]> {
  const client = await house.shop.connect();
  try {
    await client.query('begin');
    for (const text of before) await client.query(text);
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows.map((row) => JSON.stringify(row)).sort();
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** What each form answers to each statement, for each purpose. */
async function expectAllForms(): Promise<void> {
  const { target } = house;
  const state = await readTargetState(house.shop, target);
  for (const { code } of PURPOSES) {
    for (const sql of QUERIES) {
      const expected = await rowsOf(sql, [`set local search_path = truth_${code}`]);
      const rewritten = await rewriteSql(sql, { target, state, purpose: code });
      const said = `${code}: ${sql}`;
      expect(await rowsOf(rewritten.sql), `rewritten ${said}`).toEqual(expected);
      expect(
        await rowsOf(sql, [
          `set local role habeas_${target.key}_${code}`,
          `set local search_path = purpose_${code}`,
        ]),
        `views ${said}`,
      ).toEqual(expected);
      if (sql.includes('sites s')) continue;
      expect(
        await rowsOf(sql, [
          `set local role habeas_${target.key}_rows`,
          `set local habeas.purpose = '${code}'`,
        ]),
        `rows ${said}`,
      ).toEqual(expected);
    }
  }
}

const said: fc.Arbitrary<readonly Said[]> = fc.array(
  fc.record({
    type: fc.constantFrom(...TYPES),
    person: fc.nat({ max: PEOPLE - 1 }),
    choices: fc.dictionary(fc.constantFrom(...PURPOSES.map(({ code }) => code)), fc.boolean(), {
      minKeys: 1,
    }),
  }),
  { minLength: 1, maxLength: 12 },
);

it('shows nothing before the first sync, by whatever way, not even for what is allowed until refused', async () => {
  const { target } = house;
  const state = await readTargetState(house.shop, target);
  for (const { code } of PURPOSES)
    for (const table of ['user_events', 'letters', 'orders', 'accounts']) {
      const sql = `select * from ${table}`;
      expect(await rowsOf((await rewriteSql(sql, { target, state, purpose: code })).sql)).toEqual([]);
      expect(await rowsOf(`select * from purpose_${code}.${table}`)).toEqual([]);
      expect(
        await rowsOf(sql, [
          `set local role habeas_${target.key}_rows`,
          `set local habeas.purpose = '${code}'`,
        ]),
      ).toEqual([]);
    }
});

it('answers by each way as a database without the rows of those who refused', async () => {
  const all: Said[] = [];
  let stamped = false;
  await fc.assert(
    fc.asyncProperty(said, fc.boolean(), async (fresh, reconcile) => {
      await house.say(fresh);
      all.push(...fresh);
      const { drift } = await house.sync(reconcile);
      expect(drift ?? 0).toBe(0);
      if (stamped)
        await house.shop.query(
          'update user_events e set user_key = s.key from habeas_consent.signatures_user_id s where s.identity = e.user_id and e.id % 5 <> 0',
        );
      stamped = true;
      await house.makeTruth(all);
      await expectAllForms();
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

it('finds a uuid whose identity came in capital letters, by each way', async () => {
  const ids = ['6F9619FF-8B86-D011-B42D-00CF4FC964FF', 'aaaaaaaa-8b86-d011-b42d-00cf4fc964ff'];
  const others = ['bbbbbbbb-8b86-d011-b42d-00cf4fc964ff'];
  await house.shop.query(
    'create table visitors as select id::int, visitor::uuid from unnest($1::text[]) with ordinality as t(visitor, id)',
    [[...ids, ...others]],
  );
  const table = { kind: 'protected', schema: 'public', name: 'visitors', identity: 'user_id' } as const;
  const target = {
    ...house.target,
    tables: [...house.target.tables, { ...table, column: 'visitor', key: undefined }],
  };
  const on = async (which: Target) => {
    const client = await house.shop.connect();
    await applyInstall(client, which);
    client.release();
  };
  await on(target);
  await house.say(
    ids.map((identity) => ({
      type: 'user_id',
      person: 0,
      identity,
      choices: { analytics: true, advertising: false },
    })),
  );
  await house.sync();
  const state = await readTargetState(house.shop, target);
  const sql = 'select id from visitors';
  for (const [purpose, expected] of [
    ['analytics', ['[1]', '[2]']],
    ['advertising', ['[3]']],
  ] as const) {
    expect(await rowsOf((await rewriteSql(sql, { target, state, purpose })).sql)).toEqual(expected);
    expect(await rowsOf(`select id from purpose_${purpose}.visitors`)).toEqual(expected);
    const role = [`set local role habeas_${target.key}_rows`, `set local habeas.purpose = '${purpose}'`];
    expect(await rowsOf(sql, role)).toEqual(expected);
  }
  await on(house.target);
  await house.shop.query('drop table visitors');
});

it('shows nothing to a session that names no purpose, or one that nobody knows', async () => {
  const role = `set local role habeas_${house.target.key}_rows`;
  for (const before of [[role], [role, "set local habeas.purpose = 'selling'"]])
    for (const table of ['user_events', 'letters', 'orders', 'accounts'])
      expect(await rowsOf(`select * from ${table}`, before)).toEqual([]);
});

it('keeps the roles of purposes from the tables themselves, and from what people said', async () => {
  for (const { code } of PURPOSES) {
    const role = `set local role habeas_${house.target.key}_${code}`;
    for (const table of [
      'public.user_events',
      'public.sites',
      'habeas_consent.signatures_email',
      'habeas_consent.bitmaps',
      'purpose_fraud.letters',
    ])
      if (table !== `purpose_${code}.letters`)
        await expect(rowsOf(`select * from ${table}`, [role])).rejects.toMatchObject({ code: '42501' });
  }
});

it('leaves everybody else what they saw', async () => {
  await house.shop.query('create role teller_of_shop; grant select on user_events to teller_of_shop');
  try {
    expect(await rowsOf('select * from user_events', ['set local role teller_of_shop'])).toHaveLength(82);
  } finally {
    await house.shop.query('drop owned by teller_of_shop; drop role teller_of_shop');
  }
});
