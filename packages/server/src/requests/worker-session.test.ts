import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { createLogger } from '../foundation/index.ts';
import { createWorkerSession, livingWorkers, newWorker } from './worker-session.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

const open = (worker: string) =>
  createWorkerSession({
    worker,
    databaseUrl: database.url,
    logger: createLogger({ level: 'silent' }),
    onNotice: () => undefined,
    onConnected: () => undefined,
  });

/** Connections of workers to this database. */
async function connections(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pg_stat_activity
    where application_name = 'habeas worker' and datname = current_database()`.execute(database.db);
  return rows[0]?.count ?? -1;
}

it('lives as long as its connection, and leaves none when it stops', async () => {
  const worker = newWorker();
  const session = open(worker);
  await session.start();
  expect(await livingWorkers(database.db)).toEqual([worker]);
  await session.stop();
  await eventually('the connection is gone', async () => (await connections()) === 0);
  expect(await livingWorkers(database.db)).toEqual([]);
});

it('leaves no connection when its former one still has its lock', async () => {
  const worker = newWorker();
  const former = open(worker);
  await former.start();
  const session = open(worker);
  await expect(session.start()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await eventually('only the former one is left', async () => (await connections()) === 1);
  await former.stop();
  await session.start();
  expect(await livingWorkers(database.db)).toEqual([worker]);
  await session.stop();
  await eventually('none is left', async () => (await connections()) === 0);
});

it('leaves no connection when it stops in the moment in which it starts', async () => {
  const session = open(newWorker());
  const started = session.start();
  await session.stop();
  await started;
  await eventually('no connection is left', async () => (await connections()) === 0);
});
