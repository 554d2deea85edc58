import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomQuery } from '../../../test/consent/random-query.ts';
import { STATEMENTS } from '../../../test/consent/statements.ts';
import { agreed, openTwoShops, PEOPLE, type Shop } from '../../../test/consent/two-shops.ts';
import { onServer } from '../../../test/database.ts';
import {
  applyInstall,
  countTakenAway,
  readTargetState,
  rebuildBits,
  rewriteSql,
  roleOf,
  type Target,
  type TargetState,
} from './index.ts';

const PURPOSES = [
  { code: 'opt_in', optOut: false },
  { code: 'opt_out', optOut: true },
];
const RANDOM_QUERIES = 150;
/** In milliseconds; what is narrowed may take longer. */
const PATIENCE = { truth: 30, full: 500 };

let full: Shop;
let truth: Shop;
let state: TargetState;

const table = { kind: 'protected', schema: 'public', identity: 'user_id', column: 'user_id' } as const;
const open = { kind: 'open', schema: 'public' } as const;
const byNumber: Target = {
  key: 'statements',
  organizationId: 'acme',
  tables: [
    { ...table, name: 'user_events', key: 'user_key' },
    { ...table, name: 'profiles', key: 'user_key' },
    { ...table, name: 'visits', key: 'user_key' },
    { ...table, schema: 'Ünïcode', name: 'Tabelle ä', key: 'Wert' },
    { ...open, name: 'sites' },
    { ...open, name: 'results' },
  ],
  functions: [],
  numbers: new Set(),
  rowSecurity: true,
  purposes: PURPOSES,
};
const byText: Target = {
  ...byNumber,
  tables: byNumber.tables.map((one) => (one.kind === 'protected' ? { ...one, key: undefined } : one)),
};

/** Who agreed has said so, or nothing where that is enough; of those who did not, some said nothing where they need not. */
function saidBy(person: number): string {
  const granted = agreed(person) ? (person % 2 === 0 ? 3 : 1) : 0;
  const denied = agreed(person) ? 0 : person % 2 === 0 ? 3 : 2;
  return `('u${person}', ${person}, ${granted}, ${denied})`;
}

beforeAll(async () => {
  ({ full, truth } = await openTwoShops(PATIENCE));
  for (const { pool } of [full, truth])
    for (const name of ['user_events', 'profiles', 'visits'])
      await pool.query(
        `alter table ${name} add user_key int; update ${name} set user_key = substr(user_id, 2)::int where substr(user_id, 2)::int % 5 <> 2`,
      );
  const client = await full.pool.connect();
  await client.query('set statement_timeout = 0');
  await applyInstall(client, byNumber);
  await client.query(
    `insert into habeas_consent.signatures_user_id (identity, key, granted, denied) overriding system value values ${Array.from({ length: PEOPLE }, (_, person) => saidBy(person)).join(', ')}`,
  );
  state = await readTargetState(full.pool, byNumber);
  await rebuildBits(client, { type: 'user_id', purposes: state.purposes, isNumber: false });
  await client.query(`grant select on sites, results to "${roleOf(byNumber, 'rows')}"`);
  // The connection serves statements too, which have to be given up.
  await client.query('reset statement_timeout');
  client.release();
});

afterAll(async () => {
  await full?.[Symbol.asyncDispose]();
  await truth?.[Symbol.asyncDispose]();
  for (const name of [...PURPOSES.map(({ code }) => code), 'rows'])
    await onServer(`drop role if exists "${roleOf(byNumber, name)}"`);
});

/** Rows as texts, in no order; undefined if the database gave up: some random statements have too many rows to be counted. */
async function rowsOf({ pool }: Shop, sql: string, purpose?: string): Promise<string | undefined> {
  const client = await pool.connect();
  try {
    if (purpose !== undefined)
      await client.query(
        `begin; set local role "${roleOf(byNumber, 'rows')}"; set local habeas.purpose = '${purpose}'`,
      );
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows
      .map((row) => JSON.stringify(row))
      .sort()
      .join('\n');
  } catch (error) {
    if ((error as { code?: string }).code === '57014') return undefined;
    throw error;
  } finally {
    if (purpose !== undefined) await client.query('rollback');
    client.release();
  }
}

/** Views read as their owner, and parts of a table are not granted. */
const HAS_NO_POLICY = /site_views|busy_sites|visits_|Tabelle|own_count/i;

async function expectTruth(
  sql: string,
  expected: string | undefined,
  purposes: typeof PURPOSES = PURPOSES,
): Promise<void> {
  for (const { code } of purposes) {
    for (const target of [byNumber, byText]) {
      const rewritten = await rewriteSql(sql, { target, state, purpose: code });
      const found = await rowsOf(full, rewritten.sql);
      fc.pre(found !== undefined);
      expect(found, `${rewritten.relations[0]?.form} ${code}: ${sql}`).toBe(expected);
    }
    if (HAS_NO_POLICY.test(sql)) continue;
    const found = await rowsOf(full, sql, code);
    fc.pre(found !== undefined);
    expect(found, `row security ${code}: ${sql}`).toBe(expected);
  }
}

it('gives to each statement, by number and by text, what is left without those who refused', async () => {
  for (const sql of STATEMENTS) {
    const expected = await rowsOf(truth, sql);
    expect(expected).toBeDefined();
    await expectTruth(sql, expected);
  }
});

it('gives so to whatever statement the grammar makes', async () => {
  const choices = fc.array(fc.nat({ max: 10_000 }), { minLength: 30, maxLength: 120 });
  let different = 0;
  await fc.assert(
    fc.asyncProperty(choices, fc.constantFrom(...PURPOSES), async (made, purpose) => {
      const sql = `select count(*), count(distinct u), sum(n), min(u), max(u) from (${randomQuery(made)}) as q`;
      const expected = await rowsOf(truth, sql);
      fc.pre(expected !== undefined);
      await expectTruth(sql, expected, [purpose]);
      if ((await rowsOf(full, sql)) !== expected) different += 1;
    }),
    { numRuns: RANDOM_QUERIES, endOnFailure: true },
  );
  expect(different).toBeGreaterThan(RANDOM_QUERIES / 2);
});

it('narrows and explains a part of a table with people, though it was called a table without them', async () => {
  const target = { ...byNumber, tables: [...byNumber.tables, { ...open, name: 'visits_2026' }] };
  const { relations } = await rewriteSql('select * from visits_2026', { target, state, purpose: 'opt_in' });
  expect(relations).toMatchObject([{ name: 'visits_2026', form: 'bitmap' }]);
  const client = await full.pool.connect();
  try {
    const [counted] = await countTakenAway(client, { target, state, relations });
    const { rows } = await truth.pool.query('select count(*)::int as n from visits_2026');
    expect((counted?.rows ?? 0) - (counted?.taken.opt_in ?? 0)).toBe(rows[0]?.n);
  } finally {
    client.release();
  }
});
