import type { LiveTable, SqlTransaction } from '../sql/index.ts';

/** What was granted to this user and the roles it has: on the server, on the database, on tables. */
const PRIVILEGES = `
  with own as (
    select concat('''', substring_index(current_user(), '@', 1), '''@''', substring_index(current_user(), '@', -1), '''') as grantee
    union select role_name from information_schema.enabled_roles where role_name is not null)
  select lower(privilege_type), null from information_schema.user_privileges where grantee in (select grantee from own)
  union all
  select lower(privilege_type), null from information_schema.schema_privileges
   where grantee in (select grantee from own) and database() like table_schema
  union all
  select lower(privilege_type), table_name from information_schema.table_privileges
   where grantee in (select grantee from own) and table_schema = database()`;

export interface Privileges {
  /** What this user may do with a table. */
  on(table: string): LiveTable['privileges'];
  readonly mayMakeTemporaryTables: boolean;
}

export async function readPrivileges(transaction: SqlTransaction): Promise<Privileges> {
  const granted = new Set((await transaction.rows(PRIVILEGES)).map((row) => JSON.stringify(row)));
  const may = (privilege: string, table?: string) =>
    granted.has(JSON.stringify([privilege, null])) || granted.has(JSON.stringify([privilege, table]));
  return {
    on: (table) => ({
      select: may('select', table),
      update: may('update', table),
      delete: may('delete', table),
    }),
    mayMakeTemporaryTables: may('create temporary tables'),
  };
}
