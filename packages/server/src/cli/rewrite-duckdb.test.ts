import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PUBLIC_KEY, writeSignedExport } from '../../test/consent/signed-export.ts';
import { openDuckDb } from '../../test/duckdb.ts';
import { runHabeas } from '../../test/run-habeas.ts';

const folder = mkdtempSync(join(tmpdir(), 'habeas-rewrite-'));
const expiresAt = new Date(Date.now() + 3_600_000);
const common = {
  purpose: 'analytics',
  identityType: 'user_id',
  lists: 'granted',
  identities: ['u1', 'u3'],
} as const;

beforeAll(async () => {
  await writeSignedExport({ ...common, file: join(folder, 'analytics.parquet'), expiresAt });
  await writeSignedExport({
    ...common,
    file: join(folder, 'late.parquet'),
    expiresAt: new Date(Date.now() - 1_000),
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const rewrite = (sql: string, more: readonly string[] = [], consent = 'analytics.parquet') =>
  runHabeas(
    [
      ...[
        'consent',
        'rewrite',
        '-',
        '--engine',
        'duckdb',
        '--purpose',
        'analytics',
        '--organization',
        'acme',
      ],
      ...[
        '--consent',
        consent,
        '--public-key',
        PUBLIC_KEY,
        '--table',
        'events=user_id:who',
        '--open-table',
        'sites',
      ],
      ...more,
    ],
    { folder, input: sql },
  );

it('prints a statement that gives the rows of those who agreed alone, and explains it beside', async () => {
  const { out, notes, exit } = await rewrite('select count(*)::int as n from events -- of everybody\n', [
    '--explain',
  ]);
  expect([exit, notes]).toEqual([
    0,
    expect.stringContaining('main.events: semi-join, because analytics needs consent'),
  ]);
  await using duckdb = await openDuckDb();
  await duckdb.run("create table events as select 'u' || n % 5 as who from range(20) t(n)");
  expect(await duckdb.rows(out)).toEqual([{ n: 8 }]);
});

it.each([
  ['select * from read_csv($$events.csv$$)', 'read_csv'],
  ["copy events to 'x'", 'Only a `select`'],
  ['select * from unknown', '"unknown" is not known'],
])('refuses %s', async (sql, words) => {
  expect(await rewrite(sql)).toMatchObject({ exit: 1, out: '', notes: expect.stringContaining(words) });
});

it('fails closed where an export is late, altered, signed by somebody else, or not there', async () => {
  const sql = 'select * from events';
  expect(await rewrite(sql, [], 'late.parquet')).toMatchObject({
    exit: 1,
    out: '',
    notes: expect.stringContaining('expired'),
  });
  expect(await rewrite(sql, [], 'none.parquet')).toMatchObject({ exit: 1, out: '' });
  expect(await rewrite(sql, ['--table', 'letters=email'])).toMatchObject({ exit: 2, out: '' });
  writeFileSync(join(folder, 'analytics.parquet'), 'everybody');
  expect(await rewrite(sql)).toMatchObject({
    exit: 1,
    out: '',
    notes: expect.stringContaining('not the one'),
  });
});
