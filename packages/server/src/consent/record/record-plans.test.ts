import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { type PlanNode, plansOf } from '../../../test/plans-of.ts';
import { auditMigrations } from '../../audit/index.ts';
import { newSecretKey } from '../../foundation/index.ts';
import { assignBits } from '../purposes/index.ts';
import { consentMigrations, createSubjects, recordAtOnce, type Signal } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
});
afterAll(() => database?.close());

it('looks people and signatures up one by one, also in tables that are new and that PostgreSQL knows nothing about', async () => {
  const organizationId = 'acme';
  const purposes = await assignBits(database.db, organizationId, ['a', 'b']);
  const subjects = createSubjects({ organizationId, masterKey: newSecretKey() });
  let event = 0;
  const batch = (code: string, late: boolean) =>
    Array.from({ length: 20 }, (_, person): Signal => {
      event += 1;
      const saidAt = new Date(Date.UTC(2026, 0, 1) + (late && person % 2 === 0 ? -1 : 1) * event * 1_000);
      return {
        eventId: `e${event}`,
        identity: { type: 'user_id', value: `u${person}` },
        saidAt,
        choices: { [code]: true },
        source: 'api',
      };
    });
  const options = { organizationId, subjects, purposes, now: new Date('2026-06-01'), entries: [] };
  const plans = await plansOf(database.pool, async () => {
    expect(await recordAtOnce(database.db, batch('a', false), options)).toBe(true);
    expect(await recordAtOnce(database.db, batch('a', true), options)).toBe(true);
  });
  const reads = readsOf(plans);
  expect(new Set(reads.map((node) => node['Relation Name']))).toEqual(
    new Set(['consent_identities', 'consent_signals', 'consent_signatures']),
  );
  for (const node of reads) {
    expect(node['Node Type']).toMatch(/^(Index|Index Only|Bitmap Heap) Scan$/);
    expect(node['Index Cond']).toMatch(/digest = |subject = /);
  }
  // Each of these reads all of something for each row of something else, or makes a table of all of it.
  for (const kind of ['Materialize', 'Hash Join', 'Merge Join'])
    expect(plans.filter((node) => node['Node Type'] === kind)).toEqual([]);
  // What is late but the first about a purpose needs nothing of what was said before.
  const late = await plansOf(database.pool, async () => {
    expect(await recordAtOnce(database.db, batch('b', true), options)).toBe(true);
  });
  expect(readsOf(late).map((node) => node['Relation Name'])).toEqual([
    'consent_identities',
    'consent_signatures',
  ]);
});

const readsOf = (plans: readonly PlanNode[]) =>
  plans.filter(
    (node) => node['Relation Name']?.startsWith('consent_') === true && node['Node Type'] !== 'ModifyTable',
  );
