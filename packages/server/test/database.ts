import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Migrations, migrate, type OpenDatabase, openDatabase } from '../src/foundation/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A PostgreSQL server that tests may create databases on. */
    databaseUrl: string;
    /** What the names of this run's templates begin with. */
    templates: string;
  }
}

export interface TestDatabase extends OpenDatabase, AsyncDisposable {
  readonly url: string;
}

/** The server's URL with another database. */
export function databaseUrl(name: string): string {
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${name}`;
  return url.toString();
}

/**
 * Connections that may be ended from outside. A pool says that it has ended before its connections have, and a database that is dropped with force ends
 * them: nobody would hear of that but the process.
 */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Runs statements on the server's maintenance database, or works with a connection to it. */
export async function onServer(work: string | ((client: pg.Client) => Promise<void>)): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseUrl') });
  await client.connect();
  try {
    await (typeof work === 'string' ? client.query(work) : work(client));
  } finally {
    await client.end();
  }
}

/** An empty database of this test's own, with the given migrations; dropped by `await using` or `close()`. */
export async function createTestDatabase(
  migrations: Migrations = {},
  options: { readonly locale?: string | undefined } = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const { locale } = options;
  const other = locale === undefined ? '' : ` template template0 encoding 'UTF8' locale '${locale}'`;
  const isCloned = locale === undefined && Object.keys(migrations).length > 0;
  await onServer(
    `create database ${name}${isCloned ? ` template ${await migratedTemplate(migrations)}` : other}`,
  );
  const url = databaseUrl(name);
  const opened = openDatabase({ url });
  if (!isCloned) await migrate(opened.db, migrations);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await opened.close();
    await onServer(`drop database if exists ${name} with (force)`);
  };
  return { ...opened, url, close, [Symbol.asyncDispose]: close };
}

/** A database that is only cloned: the migrations run once in a run of tests, not once a database. */
async function migratedTemplate(migrations: Migrations): Promise<string> {
  const steps = Object.entries(migrations).map(([step, { up }]) => `${step} ${up}`);
  const fingerprint = createHash('sha256').update(steps.sort().join('\n')).digest('hex').slice(0, 16);
  const name = `${inject('templates')}${fingerprint}`;
  await onServer(async (client) => {
    // Another file of tests may want the same one now; the lock ends with the connection.
    await client.query('select pg_advisory_lock(hashtext($1))', [name]);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 1) return;
    await client.query(`drop database if exists ${name}_draft`);
    await client.query(`create database ${name}_draft`);
    const { db, close } = openDatabase({ url: databaseUrl(`${name}_draft`) });
    try {
      await migrate(db, migrations);
    } finally {
      await close();
    }
    await client.query(`alter database ${name}_draft rename to ${name}`);
  });
  return name;
}
