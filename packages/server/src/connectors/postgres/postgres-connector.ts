import pg from 'pg';
import { HabeasError } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createSqlConnector, readPurge, type SqlConnectorOptions } from '../sql/index.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { fromPostgresError } from './postgres-error.ts';
import { createPurge } from './purge.ts';
import { readTables } from './read-tables.ts';
import { readRedshiftTables } from './redshift/read-redshift-tables.ts';
import { redshiftDialect } from './redshift/redshift-dialect.ts';
import { REDSHIFT_SESSION } from './redshift/redshift-session.ts';
import { createRedshiftPurge, readRedshiftResiduals, readRedshiftState } from './redshift/redshift-store.ts';
import { readResiduals } from './residuals.ts';
import { readState } from './server-state.ts';
import { Transaction } from './transaction.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;

/** Acts on one PostgreSQL database by its datasets. */
export function createPostgresConnector(options: SqlConnectorOptions): Connector {
  const { key } = options;
  const { dialect, ...others } = options.options ?? {};
  if (dialect !== undefined && dialect !== 'redshift')
    throw new HabeasError(
      'CONFIG_INVALID',
      `Connection ${key} has a \`dialect\` that its kind does not know: \`redshift\`, or none for PostgreSQL.`,
    );
  const way = readPurge({ key, options: others }, ['vacuum', 'vacuum full']);
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections ?? 4,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    application_name: 'habeas',
  });
  // An idle connection that the server ends must not end the process; the next task takes a new connection.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const common = {
    translate: (error: unknown) => fromPostgresError(error, key),
    close: () => pool.end(),
  };
  if (dialect === 'redshift')
    return createSqlConnector(options, {
      ...common,
      dialect: redshiftDialect,
      begin: (begin) => Transaction.begin({ pool, system: key, ways: REDSHIFT_SESSION, ...begin }),
      readTables: readRedshiftTables,
      state: readRedshiftState,
      residuals: readRedshiftResiduals,
      purge: way === undefined ? undefined : createRedshiftPurge({ pool, system: key, way }),
    });
  return createSqlConnector(options, {
    ...common,
    dialect: postgresDialect,
    begin: (begin) => Transaction.begin({ pool, system: key, ...begin }),
    readTables,
    state: readState,
    residuals: readResiduals,
    purge: way === undefined ? undefined : createPurge({ pool, system: key, way }),
  });
}
