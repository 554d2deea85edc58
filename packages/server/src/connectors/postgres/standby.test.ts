import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrayOf, erase, located, scopeOf } from '../../../test/connector-contract.ts';
import { eventually } from '../../../test/eventually.ts';
import {
  type ReplicatedPostgres,
  requirePostgresPrograms,
  startReplicatedPostgres,
} from '../../../test/postgres-standby.ts';
import { SMALL_SHOP, SMALL_SHOP_DATASET } from '../../../test/small-shop.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const ANN = [{ type: 'email', value: 'ann@example.com' }];
const programs = requirePostgresPrograms();

describe.runIf(programs)('a PostgreSQL with a standby', () => {
  let servers: ReplicatedPostgres;
  let primary: pg.Pool;
  let standby: pg.Pool;

  beforeAll(async () => {
    servers = await startReplicatedPostgres(programs ?? '');
    primary = new pg.Pool({ connectionString: servers.primary });
    standby = new pg.Pool({ connectionString: servers.standby });
    for (const pool of [primary, standby]) pool.on('error', () => undefined);
    await primary.query(SMALL_SHOP);
    await eventually('the standby has the shop', async () => (await anns(standby)) === 1, 60);
  });

  afterAll(async () => {
    await Promise.all([primary?.end(), standby?.end()]);
    servers?.[Symbol.dispose]();
  });

  const anns = async (pool: pg.Pool): Promise<number> => {
    const count = `select count(*)::int as count from customers where email = 'Ann@Example.com'`;
    return (await pool.query(count).catch(() => undefined))?.rows[0].count ?? 0;
  };
  const connect = (url: string) =>
    createPostgresConnector({
      key: 'shop',
      url,
      datasets: parseDatasets(SMALL_SHOP_DATASET, 'shop.yaml'),
      clock: fixedClock('2026-01-01T00:00:00Z'),
    });

  test('the standby is refused at the check and by each act, with what to do', async () => {
    const connector = connect(servers.standby);
    const health = await connector.check();
    expect(health.ok).toBe(false);
    expect([health.message, ...health.problems].join(' ')).toMatch(/replica.*connect to the primary/);
    await expect(arrayOf(connector.locate?.(scopeOf(ANN, [])) ?? [])).rejects.toMatchObject({
      code: 'SYSTEM_REFUSED',
      message: expect.stringMatching(/replica.*connect to the primary/i),
    });
    await connector.close();
  });

  test('on the primary its slot and the standby are told as copies, and the standby has the rows until it has read on', async () => {
    await standby.query('select pg_wal_replay_pause()');
    const connector = connect(servers.primary);
    const { residuals } = await erase({ connector }, await located({ connector }, ANN));
    expect(residuals.filter(({ copy }) => copy === 'replicas' || copy === 'replication-slots')).toEqual([
      expect.objectContaining({
        what: expect.stringMatching(/^What 1 replication slot has not read .*sets no limit\)\.$/),
      }),
      expect.objectContaining({
        what: expect.stringMatching(/^1 replica, which has the erasure as soon as/),
      }),
    ]);
    expect([await anns(primary), await anns(standby)]).toEqual([0, 1]);
    await standby.query('select pg_wal_replay_resume()');
    await eventually('the standby has read on', async () => (await anns(standby)) === 0, 60);
    await connector.close();
  });

  test('what keeps the write-ahead log longer is told by its settings', async () => {
    const logOf = async () => {
      const connector = connect(servers.primary);
      const bob = [{ type: 'email', value: 'bob@example.com' }];
      const { residuals } = await erase({ connector }, await located({ connector }, bob));
      await connector.close();
      return residuals.flatMap(({ copy, what }) =>
        copy === 'write-ahead-log' || copy === 'replication-slots' ? [what] : [],
      );
    };
    const set = async (name: string, value: string) => {
      await primary.query(`alter system set ${name} = '${value}'`);
      await primary.query('select pg_reload_conf()');
      await eventually(`${name} is set`, async () => {
        const { rows } = await primary.query('select current_setting($1) as value', [name]);
        return rows[0].value === value;
      });
    };
    await set('wal_keep_size', '64MB');
    await set('max_slot_wal_keep_size', '256MB');
    const [log, slots] = await logOf();
    expect(log).toMatch(
      /\(checkpoint_timeout is 5min\) at the earliest, and only once 64MB came after them \(wal_keep_size\)\. .*`residuals`/,
    );
    expect(slots).toMatch(/not read yet of the write-ahead log, up to 256MB \(max_slot_wal_keep_size\)\.$/);
  });
});
