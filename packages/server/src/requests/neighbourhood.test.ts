import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { auditMigrations } from '../audit/index.ts';
import { type Database, newSecretKey } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { requestMigrations } from './index.ts';
import { createWorkLoader } from './load-work.ts';
import { loadNeighbourhoods } from './neighbourhood.ts';

const REQUESTS = 30;
const TASKS = 6;
/** Without statistics any index that begins with the organization looks as good; a product of two tables must never be read. */
const ONE_TABLE = REQUESTS * TASKS;
const target = { organizationId: 'acme', requestId: 'req_10', taskId: 'tsk_10_2' };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...requestMigrations });
  const { db } = database;
  for (const table of ['requests', 'tasks', 'task_dependencies', 'request_keys', 'request_identities'])
    await sql`alter table ${sql.ref(table)} set (autovacuum_enabled = false)`.execute(db);
  await sql`
    insert into requests (organization_id, id, state, right_kind, received_at, due_at, dry_run, identity_types, received_by)
    select 'acme', 'req_' || n, 'running', 'erasure', now(), now(), false, '{email}', 'key:test'
    from generate_series(1, ${REQUESTS}::int) n`.execute(db);
  await sql`
    insert into tasks (organization_id, id, request_id, key, position, kind, system, state, remaining, attempt, failures)
    select 'acme', 'tsk_' || n || '_' || t, 'req_' || n, 'locate:' || t, t, 'locate', 'shop', 'running', 0, 1, 0
    from generate_series(1, ${REQUESTS}::int) n, generate_series(1, ${TASKS}::int) t`.execute(db);
  await sql`
    insert into task_dependencies (organization_id, request_id, task_id, depends_on)
    select 'acme', 'req_' || n, 'tsk_' || n || '_' || t, 'tsk_' || n || '_' || (t - 1)
    from generate_series(1, ${REQUESTS}::int) n, generate_series(2, ${TASKS}::int) t`.execute(db);
});
afterAll(() => database.close());

/** Rows that were read of the tables meanwhile, by index or not. */
async function rowsRead(transaction: Database, act: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    const { rows } = await sql<{ read: number }>`
      select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_xact_user_tables
      where relname in ('requests', 'tasks', 'task_dependencies')`.execute(transaction);
    return rows[0]?.read ?? 0;
  };
  const before = await count();
  await act();
  return (await count()) - before;
}

describe('in an organization with many requests, of which the database has no statistics yet', () => {
  it('reads at most one table for what depends on a task', async () => {
    await database.db.transaction().execute(async (transaction) => {
      const event = { type: 'task-succeeded', attempt: 1, matched: true } as const;
      let others: readonly string[] = [];
      const read = await rowsRead(transaction, async () => {
        const [loaded] = await loadNeighbourhoods(transaction, [{ target, event }]);
        others = loaded?.others.map(({ id }) => id) ?? [];
      });
      expect(others).toEqual(['tsk_10_3']);
      expect(read).toBeLessThan(1.2 * ONE_TABLE);
    });
  });

  it('reads at most one table for the work of a task', async () => {
    await database.db.transaction().execute(async (transaction) => {
      const load = createWorkLoader(transaction, newSecretKey());
      const read = await rowsRead(transaction, async () => {
        expect(await load({ ...target, attempt: 1 })).toMatchObject({ task: { id: target.taskId } });
      });
      expect(read).toBeLessThan(1.2 * ONE_TABLE);
    });
  });
});

it.each([
  ['reads what is behind a gate that waits for the task alone', 1, ['behind the gate']],
  [
    'leaves what is behind a gate that waits for other tasks too, which would be read again with each of them',
    2,
    undefined,
  ],
])('%s', async (_, remaining, behind) => {
  const { db } = database;
  const undone = new Error('undone');
  const looking = db.transaction().execute(async (transaction) => {
    const add = (id: string, kind: string, waitsFor: number) => sql`
      insert into tasks (organization_id, id, request_id, key, position, kind, state, remaining)
      values ('acme', ${id}, 'req_10', ${id}, 10, ${kind}, 'pending', ${waitsFor})`;
    const link = (id: string, dependsOn: string) => sql`
      insert into task_dependencies (organization_id, request_id, task_id, depends_on)
      values ('acme', 'req_10', ${id}, ${dependsOn})`;
    await add('the gate', 'gate', remaining).execute(transaction);
    await add('behind the gate', 'erase', 1).execute(transaction);
    await link('the gate', target.taskId).execute(transaction);
    await link('behind the gate', 'the gate').execute(transaction);
    const event = { type: 'task-succeeded', attempt: 1, matched: true } as const;
    const [loaded] = await loadNeighbourhoods(transaction, [{ target, event }]);
    expect(loaded?.others.map(({ id }) => id).toSorted()).toEqual(['the gate', 'tsk_10_3']);
    expect(loaded?.behindGates.get('acme/the gate')?.map(({ id }) => id)).toEqual(behind);
    throw undone;
  });
  await expect(looking).rejects.toBe(undone);
});
