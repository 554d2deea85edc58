import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { auditMigrations } from '../../audit/index.ts';
import { newSecretKey } from '../../foundation/index.ts';
import { notifyMigrations } from '../../notify/index.ts';
import { requestMigrations } from '../index.ts';
import { createRateLimits } from './rate-limits.ts';
import { createDigests } from './secrets.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...requestMigrations });
});
afterAll(() => database.close());

const HOUR = 3_600_000;

it.each([1, 2, 3, 20, 300])(
  'lets %s be done at once, though clocks differ, and not one more',
  async (most) => {
    let skew = 0;
    const start = Date.parse('2026-03-01T12:00:00Z');
    const clock = { now: () => new Date(start + skew) };
    const limits = createRateLimits({ db: database.db, clock, digests: createDigests(newSecretKey()) });
    const take = () =>
      limits.take({
        organizationId: 'acme',
        scope: `ask ${most}`,
        whom: '203.0.113.7',
        limit: { most, periodMilliseconds: HOUR },
      });
    const taken: boolean[] = [];
    for (let act = 0; act < most + 3; act += 1) {
      // Who is counted first reads the clock last.
      skew = 50 - act / 10;
      taken.push(await take());
    }
    expect(taken).toEqual(Array.from({ length: most + 3 }, (_, act) => act < most));
    skew = HOUR / most + 100;
    expect([await take(), await take()]).toEqual([true, false]);
  },
);
