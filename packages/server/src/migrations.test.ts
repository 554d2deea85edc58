import { expect, it } from 'vitest';
import { createTestDatabase } from '../test/database.ts';
import { type Migrations, migrate } from './foundation/index.ts';
import { migrations } from './main.ts';

/** What a database knew before the numbers of declarations and the queue of rows. */
function before(limits: { readonly map: string; readonly requests: string }): Migrations {
  const isOld = (name: string) => (name < '0020' ? name < limits.map : name < limits.requests);
  return Object.fromEntries(Object.entries(migrations).filter(([name]) => isOld(name)));
}

it('brings the rows of an older version along', async () => {
  await using database = await createTestDatabase(before({ map: '0017', requests: '0023' }));
  const { pool } = database;
  await pool.query(`insert into habeas.map_sources (organization_id, source, state, warnings)
    values ('acme', 'prometheus', 'ok', '[]'), ('other', 'prometheus', 'ok', '[]')`);
  await pool.query(`insert into habeas.map_declarations
      (organization_id, source, declaration, kind, team, service, data_type, first_seen, last_seen)
    select organization, 'prometheus', 'store ' || n, 'store', 'shop', 'orders', 'type_' || n, seen,
      case when seen < '2026-02-01' then seen + interval '1 day' end
    from unnest(array['acme', 'other']) organization, generate_series(1, 50) n,
      unnest(array['2026-01-01', '2026-03-01']::timestamptz[]) seen`);
  await pool.query(`insert into habeas.requests
      (organization_id, id, right_kind, state, dry_run, identity_types, received_at, due_at, received_by, completed_at)
    values ('acme', 'req_1', 'erasure', 'running', false, '{email}', now(), now(), 'key:key_1', null),
      ('acme', 'req_2', 'access', 'completed', false, '{email}', now(), now(), 'key:key_1', now())`);
  await pool.query(`insert into habeas.tasks
      (organization_id, id, request_id, key, position, kind, system, state, remaining, enqueued_at, inputs)
    values ('acme', 'tsk_1', 'req_1', 'locate:shop', 1, 'locate', 'shop', 'ready', 0, now(), 'hash'),
      ('acme', 'tsk_2', 'req_1', 'erase:shop', 2, 'erase', 'shop', 'pending', 1, null, 'hash')`);
  await pool.query(
    `insert into habeas.plan_inputs (organization_id, hash, content) values ('acme', 'hash', 'datasets')`,
  );

  expect((await migrate(database.db, migrations)).length).toBeGreaterThan(4);

  // Both intervals of a declaration have its number, and each organization has numbers of its own.
  const { rows: numbers } = await pool.query(`
    select count(*)::int as intervals, count(distinct d.number)::int as numbers, bool_and(n.declaration = d.declaration) as own
    from habeas.map_declarations d
    join habeas.map_declaration_numbers n on n.number = d.number and n.organization_id = d.organization_id`);
  expect(numbers).toEqual([{ intervals: 200, numbers: 100, own: true }]);
  const { rows: tasks } = await pool.query(
    'select id, state, attempt, generation from habeas.tasks order by id',
  );
  expect(tasks).toEqual([
    { id: 'tsk_1', state: 'ready', attempt: 0, generation: 1 },
    { id: 'tsk_2', state: 'pending', attempt: 0, generation: 1 },
  ]);
  const { rows: requests } = await pool.query('select id, state, receipt from habeas.requests order by id');
  expect(requests).toEqual([
    { id: 'req_1', state: 'running', receipt: null },
    { id: 'req_2', state: 'completed', receipt: null },
  ]);
  const { rows: inputs } = await pool.query(
    `select content, used_at > now() - interval '1 minute' as fresh from habeas.plan_inputs`,
  );
  expect(inputs).toEqual([{ content: 'datasets', fresh: true }]);
});

it('changes nothing the second time', async () => {
  await using database = await createTestDatabase(migrations);
  expect(await migrate(database.db, migrations)).toEqual([]);
});
