import pg from 'pg';
import { fromPostgresError } from '../../connectors/index.ts';
import { applyInstall, planInstall } from './plan-install.ts';
import { changeablePostgres } from './postgres-store.ts';
import type { OpenTarget } from './target-store.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;

export interface PostgresTarget extends OpenTarget {
  readonly engine: 'postgres';
  readonly pool: pg.Pool;
  /** Runs over a connection of its own. */
  use<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result>;
}

export function openPostgres({ key, url }: { readonly key: string; readonly url: string }): PostgresTarget {
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    application_name: 'habeas consent',
  });
  // A connection that the server ends must not end the process: the next use takes a new one.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const use = async <Result>(work: (client: pg.PoolClient) => Promise<Result>) => {
    try {
      const client = await pool.connect();
      try {
        return await work(client);
      } finally {
        client.release();
      }
    } catch (error) {
      throw fromPostgresError(error, key);
    }
  };
  return {
    engine: 'postgres',
    pool,
    use,
    plan: (target) => use((client) => planInstall(client, target)),
    apply: (target, options) => use((client) => applyInstall(client, target, options)),
    change: (work) => use((client) => changeablePostgres(client).change(work)),
    close: () => pool.end(),
  };
}
