import { type GatheredJob, gathered } from '../gathered.ts';
import type { LiveTable, Purge, Purged, SqlTransaction } from '../sql/index.ts';
import { tableName } from './mysql-dialect.ts';
import { fromMysqlError } from './mysql-error.ts';
import { type MysqlServer, MysqlTransaction } from './mysql-transaction.ts';
import type { Product } from './product.ts';
import { readPrivileges } from './read-privileges.ts';
import { quoteLiteral } from './values.ts';

/** Erasures that were committed. */
interface Erasure extends GatheredJob {
  readonly tables: readonly LiveTable[];
}

/** A part of a name as InnoDB has it in file names, which has `@@@` behind it where systems keep the name for themselves, as it is in SQL. */
const decoded = (part: string) =>
  `convert(convert(cast(replace(${part}, '@@@', '') as binary) using filename) using utf8mb4)`;

/**
 * Where InnoDB tells of its files: database and table, whether it is the file of a part of that, the file and its kind. MySQL decodes names by itself, but then
 * the name of a part follows.
 */
const FILES: Readonly<Record<Product, string>> = {
  MariaDB: `select concat(${decoded(`substring_index(name, '/', 1)`)}, '/',
      ${decoded(`substring_index(substring_index(substring_index(name, '/', -1), '#P#', 1), '#p#', 1)`)}) as at,
    false, cast(space as char), space_type from information_schema.innodb_sys_tables`,
  MySQL: `select s.name as at, t.name like '%#p#%', cast(t.space as char), t.space_type
    from information_schema.innodb_tables t join information_schema.innodb_tablespaces_brief s on s.space = t.space`,
};

/**
 * An erasure that holds one table and waits for the next may stand in a circle with an `OPTIMIZE TABLE` that foreign keys make wait for the first: that
 * gives up soon, long before the erasure does, and is tried again.
 */
const LOCK_SECONDS = 2;
const MOST_TRIES = 15;

/**
 * `OPTIMIZE TABLE` writes a table with its indexes anew from the rows that are there, and removes its former file. It ends a transaction, so that
 * it comes after the commit. Erasures that end while one runs share the next.
 */
export function createPurge(
  server: MysqlServer,
): (transaction: SqlTransaction, tables: readonly LiveTable[]) => Promise<Purge> {
  const optimizing = gathered(async (erasures: readonly Erasure[]) => {
    const purged = await purge(server, erasures);
    return erasures.map(() => purged);
  });
  // Nobody may end it: the erasure is committed, and what became of it has to be told.
  const { signal } = new AbortController();
  return async (_, tables) => () => optimizing({ tables, signal });
}

async function purge(server: MysqlServer, erasures: readonly Erasure[]): Promise<Purged> {
  try {
    const { signal } = new AbortController();
    await using transaction = await MysqlTransaction.begin(server, {
      signal,
      isolation: 'change',
      onError: () => undefined,
    });
    const tables = new Map(erasures.flatMap((one) => one.tables.map((table) => [table.shape.name, table])));
    return await optimize(transaction, [...tables.values()], server.product ?? 'MariaDB');
  } catch (error) {
    const { message } = fromMysqlError(error, server.system);
    return {
      isProven: false,
      note: `The erasure is done, but its tables could not be optimized, for which their user needs SELECT and INSERT: ${message}`,
    };
  }
}

async function optimize(
  transaction: SqlTransaction,
  tables: readonly LiveTable[],
  product: Product,
): Promise<Purged> {
  const { maySeeFiles } = await readPrivileges(transaction);
  const before = maySeeFiles ? await filesOf(transaction, tables, product) : NO_FILES;
  const refused: string[] = [];
  for (const table of tables) if (!(await isOptimized(transaction, table))) refused.push(table.shape.name);
  if (refused.length > 0)
    return {
      isProven: false,
      note: `The server did not optimize ${refused.join(', ')}: see that nobody holds these tables for long.`,
    };
  if (!maySeeFiles)
    return {
      isProven: false,
      note: 'Its tables were optimized, but this user may not see whether they have new files: grant it PROCESS.',
    };
  const after = await filesOf(transaction, tables, product);
  const isNew = tables.every((table) => {
    const [old, own] = [before.get(table) ?? [], after.get(table) ?? []];
    return (
      own.length > 0 && own.every((file) => file.isOwn && !old.some(({ space }) => space === file.space))
    );
  });
  return isNew
    ? {
        isProven: true,
        note: 'Its tables were written anew (OPTIMIZE TABLE), and their former files removed.',
      }
    : {
        isProven: false,
        note: 'Its tables were optimized, but not all of them have a new file of their own: see innodb_file_per_table and innodb_optimize_fulltext_only.',
      };
}

/** False where the server gave up each time, such as for a lock that somebody holds. */
async function isOptimized(transaction: SqlTransaction, table: LiveTable): Promise<boolean> {
  await transaction.script([
    `set lock_wait_timeout = ${LOCK_SECONDS}, innodb_lock_wait_timeout = ${LOCK_SECONDS}`,
  ]);
  for (let tries = 0; tries < MOST_TRIES; tries += 1)
    for await (const rows of transaction.stream(`optimize table ${tableName(table)}`))
      if (rows.some(([, , kind, text]) => kind === 'status' && text === 'OK')) return true;
  return false;
}

interface TableFile {
  readonly space: string;
  /** Whether no other table is in it. */
  readonly isOwn: boolean;
}

const NO_FILES: ReadonlyMap<LiveTable, readonly TableFile[]> = new Map();

/** The files of tables and of all their partitions. */
async function filesOf(
  transaction: SqlTransaction,
  tables: readonly LiveTable[],
  product: Product,
): Promise<ReadonlyMap<LiveTable, readonly TableFile[]>> {
  const [row] = await transaction.rows('select database()');
  const databaseOf = ({ schema }: LiveTable) => (schema === '' ? (row?.[0] ?? '') : schema);
  const databases = [...new Set(tables.map(databaseOf))].map(quoteLiteral);
  const rows = await transaction.rows(
    `${FILES[product]} having substring_index(at, '/', 1) in (${databases.join(', ')})`,
  );
  const files = rows.map(([name, isPart, space, type]) => ({
    name: `${name}`,
    isPart: isPart === '1',
    space: `${space}`,
    isOwn: type === 'Single',
  }));
  return new Map(
    tables.map((table) => {
      const name = `${databaseOf(table)}/${table.table}`;
      const isOf = (file: (typeof files)[number]) =>
        file.name === name || (file.isPart && file.name.startsWith(`${name}#p#`));
      return [table, files.filter(isOf)];
    }),
  );
}
