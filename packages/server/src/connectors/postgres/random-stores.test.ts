import type pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { POSTGRES_SQL } from '../../../test/random-store-sql.ts';
import { testRandomStores } from '../../../test/random-stores.ts';
import { fixedClock } from '../../foundation/index.ts';
import { quoteIdentifier } from '../sql/index.ts';
import { createPostgresConnector } from './postgres-connector.ts';

let database: TestDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  database = await createTestDatabase();
  client = await database.pool.connect();
});

afterAll(async () => {
  client.release();
  await database.close();
});

testRandomStores(() => ({
  sql: POSTGRES_SQL,
  async fill(statements) {
    await client.query(
      'drop schema if exists public cascade; create schema public; set search_path = public',
    );
    await client.query(statements.join(';\n'));
  },
  open: (datasets) =>
    createPostgresConnector({
      key: 'random',
      url: database.url,
      datasets,
      clock: fixedClock('2026-01-01T00:00:00Z'),
      connections: 1,
    }),
  async rows(table, columns) {
    const selected = columns.map((column) => `${quoteIdentifier(column)}::text`);
    const { rows } = await client.query<unknown[]>({
      text: `select row_id, ${selected.join(', ')} from ${quoteIdentifier(table)}`,
      rowMode: 'array',
    });
    return rows;
  },
}));
