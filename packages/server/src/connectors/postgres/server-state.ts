import type { SqlTransaction, StoreState } from '../sql/index.ts';

/** Which PostgreSQL it is, and what keeps this user from working on it. */
export async function readState(transaction: Pick<SqlTransaction, 'rows'>): Promise<StoreState> {
  const [row] = await transaction.rows(
    `select current_setting('server_version'), has_database_privilege(current_database(), 'temporary')::text, pg_is_in_recovery()::text,
            current_setting('transaction_read_only')`,
  );
  const [version = '', mayCreate, isReplica, isReadOnly] = row ?? [];
  const problems: string[] = [];
  if (mayCreate !== 'true')
    problems.push('This user may not create temporary tables: grant it TEMPORARY on the database.');
  if (isReplica === 'true')
    problems.push(
      'This server is a replica, which takes no changes and no temporary tables: connect to the primary.',
    );
  else if (isReadOnly === 'on')
    problems.push(
      'This user or database may only read (default_transaction_read_only is on): `alter role … set default_transaction_read_only = off`.',
    );
  return { version: `PostgreSQL ${version}`, problems };
}
