import { expect, it } from 'vitest';
import { HOUSE_MIGRATIONS } from '../../../test/consent/propagation-house.ts';
import { createTestDatabase } from '../../../test/database.ts';
import { plansOf } from '../../../test/plans-of.ts';
import { dueDeliveries, nextDue } from './deliveries.ts';

it('reads no more of what waits than it sends, also where all of it is due at the same time', async () => {
  await using database = await createTestDatabase(HOUSE_MIGRATIONS);
  await database.pool.query(
    `insert into consent_deliveries (organization_id, destination, subject, known, granted, changed_at, next_at)
     select 'acme', 'crm', person, 1, 1, '2026-01-01', '2026-01-01' from generate_series(1, 20000) as person`,
  );
  await database.pool.query('analyze consent_deliveries');
  const where = { organizationId: 'acme', key: 'crm', identities: ['email'] };
  const plans = await plansOf(database.pool, async () => {
    const due = await dueDeliveries(database.db, where, { now: new Date('2026-06-01'), limit: 200 });
    expect(due).toHaveLength(200);
    expect(await nextDue(database.db, where)).toEqual(new Date('2026-01-01T00:00:00Z'));
  });
  const reads = plans.filter((node) => node['Relation Name'] === 'consent_deliveries');
  // Those that wait longest, those that came last, and when the next one is due.
  expect(reads).toHaveLength(3);
  for (const node of reads) expect(node['Node Type']).toMatch(/^Index (Only )?Scan$/);
});
