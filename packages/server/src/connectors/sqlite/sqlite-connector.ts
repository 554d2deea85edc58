import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConnectionSettings } from '../connection-kind.ts';
import type { Connector } from '../connector.ts';
import { createSqlConnector, readPurge, type SqlTransaction, type StoreState } from '../sql/index.ts';
import { createVacuum, residualsOf } from './purge.ts';
import { readSqliteTables } from './read-sqlite-tables.ts';
import { SqliteConnections } from './sqlite-connections.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { SqliteTransaction } from './sqlite-transaction.ts';

/** SQLite takes one that changes at a time; others read meanwhile. */
const CONNECTIONS = 4;

/** Acts on one SQLite file by its datasets. `url`: its path, from the configuration's folder, or its `file:` address. */
export function createSqliteConnector(settings: ConnectionSettings): Connector {
  const { key: system } = settings;
  const file = fileOf(settings);
  const connections = new SqliteConnections({ system, file, most: settings.connections ?? CONNECTIONS });
  const vacuum = createVacuum(connections);
  return createSqlConnector(settings, {
    dialect: sqliteDialect,
    begin: (options) => SqliteTransaction.begin(connections, options),
    readTables: readSqliteTables,
    state: (transaction) => stateOf(transaction, file),
    translate: (error) => connections.translate(error),
    residuals: residualsOf,
    purge: readPurge(settings, ['vacuum']) === undefined ? undefined : async () => vacuum,
    close: () => connections.close(),
  });
}

function fileOf({ url, folder }: Pick<ConnectionSettings, 'url' | 'folder'>): string {
  return url.startsWith('file:') ? fileURLToPath(new URL(url)) : resolve(folder, url);
}

async function stateOf(transaction: SqlTransaction, file: string): Promise<StoreState> {
  const [row] = await transaction.rows('select sqlite_version()');
  const problems: string[] = [];
  // Beside the file lies its journal.
  for (const [path, what] of [
    [file, 'file'],
    [dirname(file), 'folder of the file'],
  ] as const) {
    try {
      accessSync(path, constants.W_OK);
    } catch {
      // Rights, or a file system that takes no writing: `access` says no more than that it may not be.
      problems.push(`This user may not write the ${what}.`);
    }
  }
  return { version: `SQLite ${row?.[0]}`, problems };
}
