import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { appendAudit, auditMigrations, listAudit } from './index.ts';

const now = new Date('2026-11-21T08:00:00Z');
const entry = (subject: string, action: string, request?: string, organizationId = 'acme') => ({
  organizationId,
  actor: 'system',
  action,
  subject,
  ...(request === undefined ? {} : { details: { request } }),
});

it('lists the entries of a request and of its tasks, each once and newest first, in pages', async () => {
  await using database = await createTestDatabase(auditMigrations);
  await appendAudit(
    database.db,
    [
      entry('req_1', 'request.received'),
      entry('req_2', 'request.received'),
      entry('tsk_1', 'task.succeeded', 'req_1'),
      entry('tsk_2', 'task.succeeded', 'req_2'),
      entry('req_1', 'request.completed', 'req_1'),
      entry('tsk_3', 'task.succeeded', 'req_1', 'another'),
    ],
    now,
  );
  const list = (before?: number) =>
    listAudit(database.db, { organizationId: 'acme', request: 'req_1', before, limit: 2 });
  const first = await list();
  expect(first.map(({ action }) => action)).toEqual(['request.completed', 'task.succeeded']);
  const second = await list(first.at(-1)?.sequence);
  expect(second.map(({ action }) => action)).toEqual(['request.received']);
  expect(await listAudit(database.db, { organizationId: 'acme', request: 'req_none' })).toEqual([]);
});

it('finds them by an index among many', async () => {
  await using database = await createTestDatabase(auditMigrations);
  const events = Array.from({ length: 20_000 }, (_, number) =>
    entry(`tsk_${number}`, 'task.succeeded', `req_${number % 5_000}`),
  );
  await appendAudit(database.db, events, now);
  await sql`analyze audit_entries`.execute(database.db);
  const plan = await sql<{ 'QUERY PLAN': string }>`
    explain select sequence from audit_entries
    where organization_id = 'acme' and details::jsonb ->> 'request' = 'req_17'
    order by sequence desc limit 100`.execute(database.db);
  expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('audit_entries_by_request');
  expect(await listAudit(database.db, { organizationId: 'acme', request: 'req_17' })).toHaveLength(4);
});
