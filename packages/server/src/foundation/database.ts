import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { HabeasError } from './errors.ts';

/**
 * The state of Habeas, in the PostgreSQL schema `habeas`. A room adds its own tables to the type with `withTables`;
 * this type knows none, so that no room can read another room's rows by accident.
 */
// biome-ignore lint/complexity/noBannedTypes: an empty table set is exactly what is meant, and Kysely takes an object type.
export type Database = Kysely<{}>;

export interface OpenDatabaseOptions {
  readonly url: string;
  /** Most connections at once. (Default: 10) */
  readonly connections?: number;
  readonly applicationName?: string;
}

export interface OpenDatabase {
  readonly db: Database;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 10;

/** An arbitrary number that all Habeas servers agree on. */
const SCHEMA_LOCK = 0x4841_4245;

pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
});

export function openDatabase(options: OpenDatabaseOptions): OpenDatabase {
  const pool = new pg.Pool({
    Client: NamingClient,
    connectionString: options.url,
    max: options.connections ?? MAX_CONNECTIONS,
    application_name: options.applicationName ?? 'habeas',
    // Our rows are in memory or on a disk without a head that has to move: with PostgreSQL's default of 4 it would rather read
    // a whole table of some thousand tasks than look up the dozen that it needs.
    keepAlive: true,
    options: '-c lock_timeout=10000 -c search_path=habeas -c random_page_cost=1.1',
  });
  // A connection that the server ends must not end the process: the query under way fails, the next one takes a new connection.
  // The pool listens to idle connections only, so each one is listened to as well.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  // biome-ignore lint/complexity/noBannedTypes: see Database.
  const db = new Kysely<{}>({ dialect: new PostgresDialect({ pool }) });
  return { db, pool, close: () => db.destroy() };
}

const KEPT = '/* kept */';

/**
 * Marks a statement that each connection parses and plans once, and afterwards only runs: for one that comes again and again, and costs less than its
 * plan. It stands first, or right behind `select`. It is the text that counts: nothing that changes from call to call may stand in it.
 */
export const kept = sql.raw(KEPT);

/** The same for a statement that is a text. */
export const keptStatement = (text: string): string => `${KEPT} ${text}`;

/** Texts of statements that connections keep → their names there. */
const NAMES = new Map<string, string>();

function nameOf(text: string): string | undefined {
  if (!/^\s*(?:select )?\/\* kept \*\//.test(text)) return undefined;
  const name = NAMES.get(text) ?? `habeas_${NAMES.size + 1}`;
  NAMES.set(text, name);
  return name;
}

/** From this kept statement of a connection on it plans anew, whenever it has run twice as many. */
const FIRST_PLANS = 32;

/**
 * Calls statements that are to be kept by their names; the driver sends the text of such a one only once. A plan is as good as what PostgreSQL knew
 * when it was made, and a table that was empty then would be read whole however large it becomes. So plans are made anew the more
 * statements there were: none is used for more of them than were before it.
 */
class NamingClient extends pg.Client {
  #kept = 0;

  // biome-ignore lint/suspicious/noExplicitAny: one implementation of the driver's eight signatures.
  override query(statement: any, ...rest: any[]): any {
    const name = typeof statement === 'string' ? nameOf(statement) : undefined;
    if (name === undefined) return super.query(statement, ...(rest as []));
    this.#kept += 1;
    const isTurn = (this.#kept & (this.#kept - 1)) === 0;
    // Where that cannot be, in a transaction that has failed or on a connection that is gone, the statement behind it tells so.
    if (isTurn && this.#kept >= FIRST_PLANS) super.query('discard plans', () => undefined);
    return super.query({ name, text: statement }, ...(rest as []));
  }
}

/** Waits until the database answers, or throws DATABASE_UNREACHABLE with the host (never the password). */
export async function pingDatabase(db: Database, url: string): Promise<void> {
  try {
    await sql`select 1`.execute(db);
  } catch (cause) {
    throw new HabeasError(
      'DATABASE_UNREACHABLE',
      `PostgreSQL at ${withoutPassword(url)} does not answer. Start it, or correct DATABASE_URL.`,
      {
        cause,
        retryable: true,
      },
    );
  }
}

/** A database URL without its user and password, for messages. */
export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    return `${parsed.host || parsed.searchParams.get('host') || 'local socket'}${parsed.pathname}`;
  } catch {
    return 'a malformed URL';
  }
}

/** A named, forward-only change of the schema. Names sort over all rooms: `0001-audit-entries`. */
export type Migrations = Readonly<Record<string, Migration>>;

/** Brings the schema up to date. Safe when several servers start at once: the migrator takes a lock. */
export async function migrate(db: Database, migrations: Migrations): Promise<readonly string[]> {
  // `create schema if not exists` is not safe against itself; the lock makes servers that start together take turns.
  await db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${SCHEMA_LOCK})`.execute(connection);
    try {
      await sql`create schema if not exists habeas`.execute(connection);
    } finally {
      await sql`select pg_advisory_unlock(${SCHEMA_LOCK})`.execute(connection);
    }
  });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableSchema: 'habeas',
    // Rooms number their own changes: a later version may have a low number that this database has not seen.
    allowUnorderedMigrations: true,
  });
  const known = new Set(Object.keys(migrations));
  const unknown = (await migrator.getMigrations()).filter((migration) => !known.has(migration.name));
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const text = error instanceof Error ? error.message : '';
    if (unknown.length > 0 || text.includes('previously executed migration')) {
      throw new HabeasError(
        'DATABASE_NEWER',
        'This database was changed by a newer Habeas. Start that version, or restore a backup from before.',
        {
          cause: error,
        },
      );
    }
    throw new HabeasError('INTERNAL', 'A change of the database schema failed; nothing of it was kept.', {
      cause: error,
    });
  }
  return (results ?? [])
    .filter((result) => result.status === 'Success')
    .map((result) => result.migrationName);
}
