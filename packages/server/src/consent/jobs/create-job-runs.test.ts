import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { auditMigrations } from '../../audit/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createJobRuns, type JobRuns } from './create-job-runs.ts';
import { jobMigrations } from './migrations.ts';

let database: TestDatabase;
let runs: JobRuns;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...jobMigrations });
  runs = createJobRuns({
    db: database.db,
    clock: fixedClock('2026-03-01T12:00:00Z'),
    organizationId: 'acme',
    purposes: [{ code: 'analytics' }],
    declared: () => [{ job: 'daily', purpose: 'analytics', target: undefined }],
    targets: ['shop'],
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    prove: async () => undefined,
  });
});
afterAll(() => database.close());

it('tells another organization on the same server nothing of jobs and purposes that are not its own', async () => {
  expect(await runs.list('acme')).toMatchObject([
    { job: 'daily', purpose: 'analytics', target: 'shop', runs: 0 },
  ]);
  expect(await runs.list('other')).toEqual([]);
  const run = {
    job: 'daily',
    purpose: 'analytics',
    target: 'shop',
    input_sha256: '0'.repeat(64),
    sql_sha256: '0'.repeat(64),
    rows: 0,
    watermark: { snapshot: '1:1:', as_of: '2026-03-01T11:59:59.000Z' },
    relations: [],
    started_at: '2026-03-01T12:00:00.000Z',
    ended_at: '2026-03-01T12:00:01.000Z',
  };
  await expect(runs.record({ organizationId: 'other', actor: 'key:key_1' }, run)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect((await runs.record({ organizationId: 'acme', actor: 'key:key_1' }, run)).receipt).toMatchObject({
    job: 'daily',
  });
  expect(await runs.list('other')).toEqual([]);
});
