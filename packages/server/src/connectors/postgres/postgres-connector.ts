import pg from 'pg';
import type { Connector } from '../connector.ts';
import { createSqlConnector, readPurge, type SqlConnectorOptions } from '../sql/index.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { fromPostgresError } from './postgres-error.ts';
import { createPurge } from './purge.ts';
import { readTables } from './read-tables.ts';
import { readResiduals } from './residuals.ts';
import { readState } from './server-state.ts';
import { Transaction } from './transaction.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;

/** Acts on one PostgreSQL database by its datasets. */
export function createPostgresConnector(options: SqlConnectorOptions): Connector {
  const { key } = options;
  const way = readPurge(options, ['vacuum', 'vacuum full']);
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections ?? 4,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    application_name: 'habeas',
  });
  // An idle connection that the server ends must not end the process; the next task takes a new connection.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return createSqlConnector(options, {
    dialect: postgresDialect,
    begin: (begin) => Transaction.begin({ pool, system: key, ...begin }),
    readTables,
    state: readState,
    translate: (error) => fromPostgresError(error, key),
    residuals: readResiduals,
    purge: way === undefined ? undefined : createPurge({ pool, system: key, way }),
    close: () => pool.end(),
  });
}
