import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { plansOf } from '../../../test/plans-of.ts';
import { auditMigrations } from '../../audit/index.ts';
import { newSecretKey } from '../../foundation/index.ts';
import { assignBits } from '../purposes/index.ts';
import { consentMigrations, createSubjects, recordAtOnce, type Signal } from '../record/index.ts';
import { registerTarget, targetMigrations } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations, ...targetMigrations });
});
afterAll(() => database?.close());

const organizationId = 'acme';
const PEOPLE = 20;

/** All people agree or refuse, one after the other. */
async function opinions() {
  const purposes = await assignBits(database.db, organizationId, ['a']);
  const options = {
    organizationId,
    purposes,
    subjects: createSubjects({ organizationId, masterKey: newSecretKey() }),
    now: new Date('2026-06-01'),
    entries: [],
  };
  let event = 0;
  return (agrees: (person: number) => boolean) => {
    const said = Array.from({ length: PEOPLE }, (_, person): Signal => {
      event += 1;
      return {
        eventId: `e${event}`,
        identity: { type: 'user_id', value: `u${person}` },
        saidAt: new Date(Date.UTC(2026, 0, 1) + event * 1_000),
        choices: { a: agrees(person) },
        source: 'api',
      };
    });
    return plansOf(database.pool, async () =>
      expect(await recordAtOnce(database.db, said, options)).toBe(true),
    );
  };
}

const notedChanges = async () =>
  (await database.pool.query('select subject from consent_changes order by subject')).rows.map(
    ({ subject }) => subject,
  );

it('compares nothing where nobody is told, and then each person once with what they said before, whoever else says something', async () => {
  const say = await opinions();
  await say(() => true);
  const untold = await say((person) => person < 3);
  expect(untold.filter((node) => node['Node Type'] === 'Named Tuplestore Scan')).toEqual([]);
  expect(await notedChanges()).toEqual([]);

  const client = await database.pool.connect();
  try {
    await registerTarget(client, { organizationId, key: 'shop' });
  } finally {
    client.release();
  }
  // A plan that was made for one person is kept for a thousand.
  await say((person) => person < 5);
  const told = await say((person) => person < 6);
  expect(await notedChanges()).toEqual([3, 4, 5]);
  const kinds = (side: string) => told.filter((node) => node['Node Type'] === side).length;
  expect(kinds('Named Tuplestore Scan')).toBeGreaterThanOrEqual(2);
  expect(kinds('Hash Join')).toBeGreaterThan(0);
  // Only the insert of signals looks up something by a loop.
  const loops = told.filter((node) => node['Node Type'] === 'Nested Loop');
  const below = (node: (typeof told)[number]): readonly string[] => [
    node['Node Type'],
    ...(node.Plans ?? []).flatMap(below),
  ];
  for (const loop of loops) expect(below(loop)).not.toContain('Named Tuplestore Scan');
});
