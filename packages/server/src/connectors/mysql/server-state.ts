import type { Residual } from '../connector.ts';
import type { SqlTransaction, StoreResiduals, StoreState } from '../sql/index.ts';
import { readPrivileges } from './read-privileges.ts';

const SECOND = 1_000;

/** Which server it is, and what keeps this user from working on it. */
export async function readServerState(transaction: SqlTransaction): Promise<StoreState> {
  const [row] = await transaction.rows(
    'select version(), cast(@@read_only + 0 as char), cast(@@log_bin + 0 as char), @@binlog_format',
  );
  const [version = '', isReadOnly, hasLog, format] = row ?? [];
  const [release = '', , product] = /^(\d+\.\d+\.\d+)(-(MariaDB))?/.exec(version ?? '')?.slice(1) ?? [];
  const problems: string[] = [];
  const { mayMakeTemporaryTables } = await readPrivileges(transaction);
  if (!mayMakeTemporaryTables)
    problems.push(
      'This user may not create temporary tables: grant it CREATE TEMPORARY TABLES on the database.',
    );
  if (product === undefined)
    problems.push(
      'This server is no MariaDB: MySQL cannot read a temporary table twice in one statement, which the search for rows needs. Connect its service (docs/connect-a-service.md), or write a connector (docs/write-a-connector.md).',
    );
  else if (!/^(10\.([6-9]|\d\d)|1[1-9]|[2-9]\d)\./.test(release))
    problems.push('MariaDB 10.6 is the oldest version that has JSON_TABLE, which keys are sent by.');
  if (isReadOnly === '1') problems.push('This server is read-only, as replicas are: connect to the primary.');
  if (hasLog === '1' && format === 'STATEMENT')
    problems.push(
      'The binary log takes statements only, which this isolation forbids: set binlog_format to MIXED or ROW.',
    );
  return { version: `MariaDB ${release}`, problems };
}

/** The binary log has what was erased until its files expire; undo and pages that were let go are reused by InnoDB itself. */
export async function readResiduals(transaction: SqlTransaction, now: Date): Promise<StoreResiduals> {
  const [row] = await transaction.rows(
    'select cast(@@log_bin + 0 as char), cast(@@binlog_expire_logs_seconds as char)',
  );
  const [hasLog, seconds] = row ?? [];
  const pages: Residual = {
    what: 'Former versions of rows in InnoDB pages and its redo log until they are purged and written over, and in backups.',
    until: null,
    copy: 'table-files',
  };
  if (hasLog !== '1') return { files: [pages], logs: [] };
  const expire = Number(seconds);
  return {
    files: [pages],
    logs: [
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
