import { createPool } from 'mysql2';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MysqlServer, MysqlTransaction } from '../src/connectors/mysql/mysql-transaction.ts';
import { Transaction } from '../src/connectors/postgres/transaction.ts';
import type { SqlTransaction } from '../src/connectors/sql/index.ts';
import { SqliteConnections } from '../src/connectors/sqlite/sqlite-connections.ts';
import { SqliteTransaction } from '../src/connectors/sqlite/sqlite-transaction.ts';
import { createTestDatabase } from './database.ts';
import { createMariadbDatabase } from './mariadb-database.ts';
import { requireServer } from './requirements.ts';
import { createSqliteFile } from './sqlite-file.ts';

/** A database with one connection, so that what comes behind the end of a transaction finds the connection that it had. */
interface Store {
  begin(): Promise<SqlTransaction>;
  close(): Promise<unknown>;
}

const BEGIN = {
  signal: new AbortController().signal,
  isolation: 'change',
  onError: () => undefined,
} as const;

async function openPostgres(): Promise<Store> {
  const database = await createTestDatabase({});
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  return {
    begin: () => Transaction.begin({ pool, system: 'shop', ...BEGIN }),
    async close() {
      await pool.end();
      await database.close();
    },
  };
}

async function openMysql(url: string): Promise<Store> {
  const database = await createMariadbDatabase(url);
  const pool = createPool({ uri: database.url, connectionLimit: 1 });
  const server: MysqlServer = { pool, address: { uri: database.url }, system: 'shop', product: undefined };
  return {
    begin: () => MysqlTransaction.begin(server, BEGIN),
    async close() {
      await new Promise((resolve) => pool.end(resolve));
      await database.drop();
    },
  };
}

async function openSqlite(): Promise<Store> {
  const file = createSqliteFile();
  file.run(['create table empty (id integer)']);
  const connections = new SqliteConnections({ system: 'shop', file: file.file, most: 1 });
  return {
    begin: () => SqliteTransaction.begin(connections, BEGIN),
    async close() {
      await connections.close();
      file.remove();
    },
  };
}

const mariadb = await requireServer('mariadb');
const mysql = await requireServer('mysql');
const STORES: readonly (readonly [string, (() => Promise<Store>) | undefined])[] = [
  ['PostgreSQL', openPostgres],
  ['MariaDB', mariadb === undefined ? undefined : () => openMysql(mariadb)],
  ['MySQL', mysql === undefined ? undefined : () => openMysql(mysql)],
  ['SQLite', openSqlite],
];

const ADD = `insert into notes values ('late')`;
const REFUSED = { code: 'INTERNAL', message: expect.stringContaining('after its transaction had ended') };

for (const [name, open] of STORES)
  describe.skipIf(open === undefined)(`${name}: work that comes behind the end of its transaction`, () => {
    let store: Store;

    beforeAll(async () => {
      if (open === undefined) return;
      store = await open();
      await using transaction = await store.begin();
      await transaction.script(['create table notes (body varchar(20))']);
      await transaction.commit();
    });
    afterAll(async () => {
      await store?.close();
    });

    const notes = async () => {
      await using transaction = await store.begin();
      return await transaction.rows('select body from notes');
    };
    const streamed = async (transaction: SqlTransaction) => {
      for await (const rows of transaction.stream('select body from notes')) return rows;
      return [];
    };

    test.each([
      ['a commit', (transaction: SqlTransaction) => transaction.commit()],
      ['a rollback', (transaction: SqlTransaction) => transaction[Symbol.asyncDispose]()],
    ])('is refused behind %s, also while that is under way, and nothing is done', async (_, end) => {
      const transaction = await store.begin();
      const ended = end(transaction);
      await expect(transaction.change(ADD)).rejects.toMatchObject(REFUSED);
      await ended;
      await expect(transaction.change(ADD)).rejects.toMatchObject(REFUSED);
      await expect(transaction.rows('select body from notes')).rejects.toMatchObject(REFUSED);
      await expect(transaction.script([ADD])).rejects.toMatchObject(REFUSED);
      await expect(streamed(transaction)).rejects.toMatchObject(REFUSED);
      await expect(transaction.commit()).rejects.toMatchObject(REFUSED);
      expect(await notes()).toEqual([]);
    });
  });
