import {
  createPool,
  type ExecuteValues,
  type Pool,
  type PoolConnection,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2/promise';
import { fromMysqlError, readMysqlAddress } from '../../../connectors/index.ts';
import { HabeasError } from '../../../foundation/index.ts';
import { SCHEMA } from '../choose-predicate.ts';
import type { OpenTarget } from '../target-store.ts';
import type { MariadbSession } from './mariadb-session.ts';
import { mariadbStore } from './mariadb-store.ts';
import { applyMariadb, planMariadb } from './plan-mariadb.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
const LOCK_SECONDS = 30;
/** https://mariadb.com/kb/en/mariadb-error-codes/: rights to a database, a table, a column, something of the server, a routine; a grant. */
const NOT_ALLOWED: ReadonlySet<unknown> = new Set([1044, 1142, 1143, 1227, 1370, 1410]);

/** So that statements mean the same whatever the server's settings are. */
const SETTINGS = `set sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  time_zone = '+00:00', names utf8mb4 collate utf8mb4_nopad_bin, lock_wait_timeout = 30, innodb_lock_wait_timeout = 30`;

export interface MariadbTarget extends OpenTarget {
  readonly engine: 'mariadb';
}

export function openMariadb({ key, url }: { readonly key: string; readonly url: string }): MariadbTarget {
  const pool = createPool({
    ...readMysqlAddress(url, key, { database: 'optional', page: 'docs/enforce-consent.md' }),
    connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    connectionLimit: 2,
    charset: 'utf8mb4',
    multipleStatements: false,
    flags: ['-FOUND_ROWS'],
    timezone: 'Z',
    supportBigNumbers: true,
    disableEval: true,
  });
  // A connection that the server ends must not end the process: its next statement tells.
  pool.on('connection', (connection) => connection.on('error', () => undefined));
  const alone = <Result>(work: (session: MariadbSession) => Promise<Result>) =>
    translated(key, () => withLock(pool, key, work));
  return {
    engine: 'mariadb',
    plan: (target) => translated(key, () => withSession(pool, (session) => planMariadb(session, target))),
    apply: (target, options) => alone((session) => applyMariadb(session, target, options)),
    change: (work) =>
      alone(async (session) => {
        await session.run('start transaction');
        try {
          const result = await work(mariadbStore(session));
          await session.run('commit');
          return result;
        } catch (error) {
          await session.run('rollback');
          throw error;
        }
      }),
    close: () => pool.end(),
  };
}

async function withSession<Result>(
  pool: Pool,
  work: (session: MariadbSession) => Promise<Result>,
): Promise<Result> {
  const connection = await pool.getConnection();
  let isWhole = false;
  try {
    await connection.query(SETTINGS);
    const result = await work(sessionOf(connection));
    isWhole = true;
    return result;
  } finally {
    // Whatever failed may have left something on it.
    if (isWhole) connection.release();
    else connection.destroy();
  }
}

/** One at a time in the whole server: MariaDB's statements that make things are in no transaction. */
function withLock<Result>(
  pool: Pool,
  key: string,
  work: (session: MariadbSession) => Promise<Result>,
): Promise<Result> {
  return withSession(pool, async (session) => {
    const [got] = await session.rows<{ got: unknown }>(
      `select get_lock('${SCHEMA}', ${LOCK_SECONDS}) as got`,
    );
    if (Number(got?.got) !== 1)
      throw new HabeasError('SYSTEM_TIMEOUT', `Somebody else is changing what enforces consent in ${key}.`, {
        retryable: true,
      });
    const result = await work(session);
    await session.rows(`select release_lock('${SCHEMA}')`);
    return result;
  });
}

function sessionOf(connection: PoolConnection): MariadbSession {
  return {
    async rows<Row>(text: string, values: ExecuteValues = []) {
      const [rows] = await connection.execute<RowDataPacket[]>(text, values);
      return rows as unknown as readonly Row[];
    },
    async change(text, values = []) {
      const [result] = await connection.execute<ResultSetHeader>(text, values);
      return result.affectedRows;
    },
    async run(text) {
      await connection.query(text);
    },
  };
}

async function translated<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { errno } = error as { readonly errno?: unknown };
    if (NOT_ALLOWED.has(errno))
      throw new HabeasError(
        'SYSTEM_REFUSED',
        `The user of the target ${key} may not do that in its MariaDB. docs/enforce-consent.md#mariadb says what it needs.`,
        { cause: { errno } },
      );
    throw fromMysqlError(error, key);
  }
}
