import { randomBytes } from 'node:crypto';
import { createPool } from 'mysql2/promise';

/** An empty database of a test's own on a MariaDB or MySQL server, as another program sees it. */
export interface MariadbDatabase {
  readonly url: string;
  run(statements: readonly string[]): Promise<void>;
  /** Rows as arrays. */
  rows(text: string): Promise<readonly (readonly unknown[])[]>;
  /** The address of a new user of this database, with these rights on it. */
  user(grants: readonly string[]): Promise<string>;
  drop(): Promise<void>;
}

/** `server`: of `requireServer('mariadb')`, or of a MySQL. Statements are written as in PostgreSQL: `"names"`, no escapes, `||`. */
export async function createMariadbDatabase(server: string): Promise<MariadbDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  const pool = createPool({ uri: server, connectionLimit: 1, charset: 'utf8mb4', dateStrings: true });
  const users: string[] = [];
  const run = async (statements: readonly string[]) => {
    for (const statement of statements) await pool.query(statement);
  };
  await run([
    `create database ${name} character set utf8mb4`,
    `use ${name}`,
    `set sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', time_zone = '+00:00'`,
  ]);
  return {
    url: url.toString(),
    run,
    rows: async (text) => {
      const [rows] = await pool.query({ sql: text, rowsAsArray: true });
      return rows as unknown[][];
    },
    async user(grants) {
      const user = `u_${randomBytes(6).toString('hex')}`;
      await run([`create user '${user}'@'%' identified by 'secret'`]);
      users.push(user);
      for (const grant of grants) await run([`grant ${grant} to '${user}'@'%'`]);
      const own = new URL(url);
      own.username = user;
      own.password = 'secret';
      return own.toString();
    },
    async drop() {
      for (const user of users) await run([`drop user '${user}'@'%'`]);
      await run([`drop database ${name}`]);
      await pool.end();
    },
  };
}
