import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Migrations, migrate, type OpenDatabase, openDatabase } from '../src/foundation/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A PostgreSQL server that tests may create databases on. */
    databaseUrl: string;
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
  await onServer(`create database ${name}${other}`);
  const url = databaseUrl(name);
  const opened = openDatabase({ url });
  await migrate(opened.db, migrations);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await opened.close();
    await onServer(`drop database if exists ${name} with (force)`);
  };
  return { ...opened, url, close, [Symbol.asyncDispose]: close };
}
