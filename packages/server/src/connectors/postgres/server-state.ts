import type { SqlTransaction, StoreState } from '../sql/index.ts';

/** Which PostgreSQL it is, and what keeps this user from working on it. */
export async function readState(transaction: SqlTransaction): Promise<StoreState> {
  const [row] = await transaction.rows(
    `select current_setting('server_version'), has_database_privilege(current_database(), 'temporary')::text, pg_is_in_recovery()::text`,
  );
  const [version = '', mayCreate, isReplica] = row ?? [];
  const problems: string[] = [];
  if (mayCreate !== 'true')
    problems.push('This user may not create temporary tables: grant it TEMPORARY on the database.');
  if (isReplica === 'true')
    problems.push(
      'This server is a replica, which takes no changes and no temporary tables: connect to the primary.',
    );
  return { version: `PostgreSQL ${version}`, problems };
}
