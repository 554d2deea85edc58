import { createPool } from 'mysql2';
import type { Connector } from '../connector.ts';
import { createSqlConnector, type SqlConnectorOptions } from '../sql/index.ts';
import { readAddress } from './mysql-address.ts';
import { mysqlDialect } from './mysql-dialect.ts';
import { fromMysqlError } from './mysql-error.ts';
import { MysqlTransaction } from './mysql-transaction.ts';
import { readMysqlTables } from './read-mysql-tables.ts';
import { readResiduals, readServerState } from './server-state.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
/** Statements differ by numbers of rounds, so that few come again. */
const PREPARED_STATEMENTS = 64;

/** Acts on one MariaDB database by its datasets. */
export function createMysqlConnector(options: SqlConnectorOptions): Connector {
  const { key: system } = options;
  const address = {
    ...readAddress(options.url, system),
    connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    charset: 'utf8mb4',
    multipleStatements: false,
    // Rows are changed or not; those that a statement merely found are not counted.
    flags: ['-FOUND_ROWS'],
    // Every value is printed by the server; nothing here makes dates or numbers of them.
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    disableEval: true,
    maxPreparedStatements: PREPARED_STATEMENTS,
  };
  const pool = createPool({ ...address, connectionLimit: options.connections ?? 4 });
  // An idle connection that the server ends must not end the process; the next task takes a new connection.
  pool.on('connection', (connection) => connection.on('error', () => undefined));
  return createSqlConnector(options, {
    dialect: mysqlDialect,
    begin: (begin) => MysqlTransaction.begin({ pool, address, system }, begin),
    readTables: readMysqlTables,
    state: readServerState,
    translate: (error) => fromMysqlError(error, system),
    residuals: readResiduals,
    close: () =>
      new Promise((resolve, reject) => {
        pool.end((error) => (error == null ? resolve() : reject(error)));
      }),
  });
}
