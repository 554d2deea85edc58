import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { arrayOf, erase, located, scopeOf } from '../../../test/connector-contract.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { SMALL_SHOP, SMALL_SHOP_DATASET } from '../../../test/small-shop.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector, LocatedScope } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';
import { readState } from './server-state.ts';

const ANN = [{ type: 'email', value: 'ann@example.com' }];

describe('a server that goes away or takes no changes', () => {
  let database: TestDatabase;
  let connector: Connector;

  beforeEach(async () => {
    database = await createTestDatabase();
    await database.pool.query(`set search_path = public; ${SMALL_SHOP}; set search_path = habeas`);
    connector = createPostgresConnector({
      key: 'shop',
      url: database.url,
      datasets: parseDatasets(SMALL_SHOP_DATASET, 'shop.yaml'),
      clock: fixedClock('2026-01-01T00:00:00Z'),
    });
  });

  afterEach(async () => {
    await connector.close();
    await database.close();
  });

  const customers = async () =>
    (await database.pool.query('select c::text from public.customers c order by 1')).rows;

  test('a connection that ends in the middle is told as unreachable, nothing is changed, and a retry ends well', async () => {
    const before = await customers();
    const keys = await arrayOf((await located({ connector }, ANN)).keys());
    const scope: LocatedScope = {
      ...scopeOf(ANN, keys),
      async *keys() {
        yield* keys;
        await database.pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and application_name = 'habeas'`,
        );
      },
    };
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({ retryable: true });
    expect(await customers()).toEqual(before);
    expect((await erase({ connector }, scopeOf(ANN, keys))).counts.customers).toBe(1);
  });

  test('a database or user that may only read is refused at the check', async () => {
    const { rows } = await database.pool.query('select current_database() as name');
    await database.pool.query(`alter database "${rows[0].name}" set default_transaction_read_only = on`);
    const health = await connector.check();
    expect(health.ok).toBe(false);
    expect(health.problems?.join()).toContain('default_transaction_read_only');
  });

  test('a replica is refused at the check, whatever else it says of itself', async () => {
    const { problems } = await readState({ rows: async () => [['18.4', 'true', 'true', 'on']] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('replica');
  });
});
