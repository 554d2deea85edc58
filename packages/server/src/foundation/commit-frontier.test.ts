import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { commitFrontier } from './commit-frontier.ts';

const IDLE_MILLISECONDS = 3_000;
const frontier = commitFrontier({
  lockClass: 0x7465_7374,
  sequence: 'numbers',
  idleMilliseconds: IDLE_MILLISECONDS,
});
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await sql`create schema if not exists habeas`.execute(database.db);
  await sql`create sequence habeas.numbers`.execute(database.db);
});

afterAll(() => database.close());

/** Takes a number after what a writer of a real table does. */
async function write(db: TestDatabase['db']): Promise<void> {
  await sql`select ${frontier.register}`.execute(db);
  await sql`select nextval('numbers')`.execute(db);
}

it('is held back by a transaction that stands still for no longer than it may', async () => {
  const { db } = database;
  const abandoned = await db.startTransaction().execute();
  await write(abandoned);
  await db.transaction().execute(write);
  const { settled, given } = await frontier.read(db);
  expect([settled, given]).toEqual([0, 2]);
  expect(await frontier.holding(db)).toMatchObject([{ state: 'idle in transaction' }]);
  // Nobody ends it but the database.
  await eventually('the numbers are settled', async () => (await frontier.read(db)).settled === given);
  expect(await frontier.holding(db)).toEqual([]);
  await expect(sql`select 1`.execute(abandoned)).rejects.toThrow();
  await abandoned
    .rollback()
    .execute()
    .catch(() => undefined);
});

it('bounds nothing but the transaction that wrote', async () => {
  const timeout = async (db: TestDatabase['db']) => {
    const { rows } = await sql<{ value: string }>`
      select current_setting('idle_in_transaction_session_timeout') as value`.execute(db);
    return rows[0]?.value;
  };
  await database.db.connection().execute(async (connection) => {
    const before = await timeout(connection);
    await connection.transaction().execute(async (transaction) => {
      await write(transaction);
      expect(await timeout(transaction)).toBe('3s');
    });
    expect(await timeout(connection)).toBe(before);
  });
});
