import type { Residual } from '../connector.ts';
import type { SqlTransaction, StoreResiduals, StoreState } from '../sql/index.ts';
import type { Product } from './product.ts';
import { readPrivileges } from './read-privileges.ts';

const SECOND = 1_000;

const OLDEST: Readonly<Record<Product, { readonly releases: RegExp; readonly problem: string }>> = {
  MariaDB: {
    releases: /^(10\.([6-9]|\d\d)|1[1-9]|[2-9]\d)\./,
    problem: 'MariaDB 10.6 is the oldest version that has JSON_TABLE, which keys are sent by.',
  },
  MySQL: {
    releases: /^(8\.0\.(1[7-9]|[2-9]\d)$|8\.[1-9]|9\.|[1-9]\d\.)/,
    problem:
      'MySQL 8.0.17 is the oldest version that compares texts letter by letter with the spaces at their ends.',
  },
};

/** Which server it is, and what keeps this user from working on it. */
export async function readServerState(transaction: SqlTransaction, product: Product): Promise<StoreState> {
  const [row] = await transaction.rows(
    'select version(), cast(@@read_only + 0 as char), cast(@@log_bin + 0 as char), @@binlog_format',
  );
  const [version = '', isReadOnly, hasLog, format] = row ?? [];
  const [release = ''] = /^\d+\.\d+\.\d+/.exec(version ?? '') ?? [];
  const problems: string[] = [];
  const { mayMakeTemporaryTables } = await readPrivileges(transaction);
  if (!mayMakeTemporaryTables)
    problems.push(
      'This user may not create temporary tables: grant it CREATE TEMPORARY TABLES on the database.',
    );
  if (!OLDEST[product].releases.test(release)) problems.push(OLDEST[product].problem);
  if (isReadOnly === '1') problems.push('This server is read-only, as replicas are: connect to the primary.');
  if (hasLog === '1' && format === 'STATEMENT')
    problems.push(
      'The binary log takes statements only, which this isolation forbids: set binlog_format to MIXED or ROW.',
    );
  return { version: `${product} ${release}`, problems };
}

/** The binary log has what was erased until its files expire; what InnoDB let go of it writes over by itself. */
export async function readResiduals(transaction: SqlTransaction, now: Date): Promise<StoreResiduals> {
  const [row] = await transaction.rows(
    'select cast(@@log_bin + 0 as char), cast(@@binlog_expire_logs_seconds as char)',
  );
  const [hasLog, seconds] = row ?? [];
  const pages: Residual = {
    what: 'Former versions of rows in the files of the tables, until InnoDB writes over them or they are written anew (`purge: optimize`).',
    until: null,
    copy: 'table-files',
  };
  const innodb: Residual = {
    what: "InnoDB's undo and redo logs, its doublewrite buffer and temporary files, until they are written over, and backups.",
    until: null,
    copy: 'innodb-logs',
  };
  if (hasLog !== '1') return { files: [pages], logs: [innodb] };
  const expire = Number(seconds);
  return {
    files: [pages],
    logs: [
      innodb,
      {
        what:
          expire > 0
            ? 'The binary log, and what replicas and archives took from it, until its files expire (binlog_expire_logs_seconds).'
            : 'The binary log, whose files never expire: set binlog_expire_logs_seconds, or purge them.',
        until: expire > 0 ? new Date(now.getTime() + expire * SECOND).toISOString() : null,
        copy: 'binary-log',
      },
    ],
  };
}
