import { createPool } from 'mysql2';
import { HabeasError } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createSqlConnector, readPurge, type SqlConnectorOptions } from '../sql/index.ts';
import { readAddress } from './mysql-address.ts';
import { DIALECTS } from './mysql-dialect.ts';
import { fromMysqlError } from './mysql-error.ts';
import { type MysqlServer, MysqlTransaction } from './mysql-transaction.ts';
import { createPurge } from './purge.ts';
import { readMysqlTables } from './read-mysql-tables.ts';
import { readResiduals, readServerState } from './server-state.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
/** Statements differ by numbers of rounds, so that few come again. */
const PREPARED_STATEMENTS = 64;

/** Acts on one database of MariaDB or MySQL by its datasets, and on those that `databases` in its options names beside it. */
export function createMysqlConnector(options: SqlConnectorOptions): Connector {
  const { key: system } = options;
  const { databases, ...settings } = options.options ?? {};
  const way = readPurge({ key: system, options: settings }, ['optimize']);
  const others = otherDatabases(system, databases);
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
  const server: MysqlServer = { pool, address, system, product: undefined };
  const productOfServer = () => server.product ?? 'MariaDB';
  return createSqlConnector(options, {
    get dialect() {
      return DIALECTS[productOfServer()];
    },
    begin: (begin) => MysqlTransaction.begin(server, begin),
    readTables: (transaction) => readMysqlTables(transaction, { product: productOfServer(), others }),
    state: (transaction) => readServerState(transaction, productOfServer()),
    translate: (error) => fromMysqlError(error, system),
    residuals: readResiduals,
    purge: way === undefined ? undefined : createPurge(server),
    close: () =>
      new Promise((resolve, reject) => {
        pool.end((error) => (error == null ? resolve() : reject(error)));
      }),
  });
}

function otherDatabases(system: string, given: unknown): readonly string[] {
  const isList = Array.isArray(given) && given.every((name) => typeof name === 'string' && name !== '');
  if (given === undefined || isList) return given ?? [];
  throw new HabeasError(
    'CONFIG_INVALID',
    `Connection ${system} has \`databases\` that are no list of names: \`databases: [billing]\`, beside the one in its url.`,
  );
}
