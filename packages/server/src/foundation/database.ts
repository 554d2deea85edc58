import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { HabeasError } from './errors.ts';
import { HabeasClient } from './habeas-client.ts';

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
    Client: HabeasClient,
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
