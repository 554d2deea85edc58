import pg from 'pg';
import { fromPostgresError } from '../../connectors/index.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;

/** Connections to the database of a target. */
export interface OpenTarget {
  readonly pool: pg.Pool;
  /** Runs over a connection of its own. What PostgreSQL reports is told without its words, which may quote values of rows. */
  use<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export function openTarget({ key, url }: { readonly key: string; readonly url: string }): OpenTarget {
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    application_name: 'habeas consent',
  });
  // A connection that the server ends must not end the process: the next use takes a new one.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    pool,
    async use(work) {
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
    },
    close: () => pool.end(),
  };
}
