import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

/** What a server answers that is PostgreSQL but for two functions, of which the connection finds these first. */
function serverSaying(version: string): string {
  return `
    create schema other;
    create function other.version() returns text language sql as $$ select '${version}' $$;
    create function other.set_config(text, text, boolean) returns text language plpgsql
      as $$ begin raise exception 'unrecognized configuration parameter' using errcode = '42704'; end $$;`;
}

describe('a server that lacks the settings of a transaction', () => {
  let database: TestDatabase;
  let connector: Connector;

  beforeEach(async () => {
    database = await createTestDatabase();
    const url = new URL(database.url);
    const options = url.searchParams.get('options') ?? '';
    url.searchParams.set('options', `${options} -c search_path=other,pg_catalog`.trim());
    connector = createPostgresConnector({
      key: 'warehouse',
      url: url.href,
      datasets: [],
      clock: fixedClock('2026-01-01T00:00:00Z'),
    });
  });

  afterEach(async () => {
    await connector.close();
    await database.close();
  });

  test('is refused by its name where it is Redshift', async () => {
    await database.pool.query(
      serverSaying(
        'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.12103',
      ),
    );
    const health = await connector.check();
    expect(health).toMatchObject({ ok: false });
    expect(health.message).toContain(
      'warehouse is Amazon Redshift, which needs other SQL than PostgreSQL: set `options: { dialect: redshift }`',
    );
    await expect(async () => {
      for await (const _ of connector.discover?.(new AbortController().signal) ?? []) void _;
    }).rejects.toMatchObject({ code: 'SYSTEM_REFUSED', retryable: false });
  });

  test('is told of by its failure where it is another', async () => {
    await database.pool.query(serverSaying('PostgreSQL 13.4, another server'));
    expect((await connector.check()).message).toContain('SQLSTATE 42704');
  });
});
