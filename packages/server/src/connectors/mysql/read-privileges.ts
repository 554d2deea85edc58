import type { LiveTable, SqlTransaction } from '../sql/index.ts';

const NAME = '(\\*|"(?:[^"]|"")*"|`(?:[^`]|``)*`)';
const GRANT = new RegExp(`^GRANT (.+) ON (?:TABLE )?${NAME}\\.${NAME} TO `);

export interface Privileges {
  /** What this user may do with a table; without a schema, of the connection's own database. */
  on(table: Pick<LiveTable, 'schema' | 'table'>): LiveTable['privileges'];
  readonly mayMakeTemporaryTables: boolean;
  /** Which files InnoDB keeps tables in. */
  readonly maySeeFiles: boolean;
}

/**
 * What was granted to this user and to the roles that are on: on the server, on the database, on tables. The information schema does not tell
 * users what their roles may do.
 */
export async function readPrivileges(transaction: SqlTransaction): Promise<Privileges> {
  const [row] = await transaction.rows('select database()');
  const lines: string[] = [];
  for await (const rows of transaction.stream('show grants')) lines.push(...rows.map(([line]) => `${line}`));
  return privilegesOf(lines, row?.[0] ?? '');
}

/** Reads the lines of `show grants`. Rights on some columns of a table are none on the table. */
export function privilegesOf(lines: readonly string[], database: string): Privileges {
  const grants = lines.flatMap((line) => {
    const [, privileges = '', place = '', table = ''] = GRANT.exec(line) ?? [];
    return place === ''
      ? []
      : [
          {
            privileges: privileges.toLowerCase().split(/, /),
            place: unquoted(place),
            table: unquoted(table),
          },
        ];
  });
  const may = (privilege: string, { schema, table }: { readonly schema: string; readonly table?: string }) =>
    grants.some(
      (grant) =>
        isLike(schema === '' ? database : schema, grant.place) &&
        (grant.table === '*' || grant.table === table) &&
        (grant.privileges.includes(privilege) || grant.privileges.includes('all privileges')),
    );
  return {
    on: (table) => ({
      select: may('select', table),
      update: may('update', table),
      delete: may('delete', table),
    }),
    mayMakeTemporaryTables: may('create temporary tables', { schema: '' }),
    maySeeFiles: may('process', { schema: '' }),
  };
}

/** Whether a grant for databases of this pattern is one for the database: `%` stands for any letters, `_` for one, unless a backslash stands before it. */
function isLike(database: string, pattern: string): boolean {
  if (pattern === '*') return true;
  const parts = pattern.match(/\\?./gs) ?? [];
  const source = parts.map((part) => {
    if (part === '%') return '.*';
    return part === '_' ? '.' : part.replace(/^\\(?=.)/s, '').replace(/\W/, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 's').test(database);
}

function unquoted(name: string): string {
  const quote = name[0] ?? '';
  return quote === '"' || quote === '`' ? name.slice(1, -1).replaceAll(quote + quote, quote) : name;
}
