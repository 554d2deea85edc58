import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { sql } from 'kysely';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { openDatabase } from './database.ts';
import { kept } from './habeas-client.ts';
import { together } from './together.ts';

async function openOne() {
  const database = await createTestDatabase();
  const opened = openDatabase({ url: database.url, connections: 1 });
  return {
    ...opened,
    [Symbol.asyncDispose]: async () => {
      await opened.close();
      await database.close();
    },
  };
}

it('gives each its answer, and runs statements in the order in which they were begun', async () => {
  await using one = await openOne();
  await sql`create table things (id integer primary key generated always as identity, name text not null)`.execute(
    one.db,
  );
  const add = (name: string) => sql<{ id: number }>`insert into things (name) values (${name}) returning id`;
  const answers = await one.db.transaction().execute((transaction) =>
    together(transaction, (pipelined) => [
      add('a').execute(pipelined),
      add('b')
        .execute(pipelined)
        .then(({ rows }) => rows[0]?.id),
      sql`select name from things order by id`.execute(pipelined).then(({ rows }) => rows),
    ]),
  );
  expect(answers[0].rows).toEqual([{ id: 1 }]);
  expect(answers.slice(1)).toEqual([2, [{ name: 'a' }, { name: 'b' }]]);
});

it('throws the failure itself, not that of what came behind it, and leaves the connection as it was', async () => {
  await using one = await openOne();
  await sql`create table things (id integer primary key)`.execute(one.db);
  const add = (id: number) => sql`${kept} insert into things values (${id})`;
  const failing = one.db.transaction().execute((transaction) =>
    together(transaction, (pipelined) => [
      // Begins when the others have.
      Promise.resolve().then(() => sql`${kept} select ${3}::integer as last`.execute(pipelined)),
      add(1).execute(pipelined),
      add(1).execute(pipelined),
      sql`${kept} select ${2}::integer as more`.execute(pipelined),
    ]),
  );
  await expect(failing).rejects.toMatchObject({ code: '23505' });
  const [kepts, count] = await one.db
    .transaction()
    .execute((transaction) =>
      together(transaction, (pipelined) => [
        sql`${kept} select ${2}::integer as more`.execute(pipelined).then(({ rows }) => rows),
        sql`select count(*)::integer as count from things`.execute(pipelined).then(({ rows }) => rows),
      ]),
    );
  expect(kepts).toEqual([{ more: 2 }]);
  expect(count).toEqual([{ count: 0 }]);
});

it('sends each statement without a wait for the answer of the one before', async () => {
  await using one = await openOne();
  const { host, port } = new pg.Client({ connectionString: one.pool.options.connectionString });
  const came: string[] = [];
  const sockets: Socket[] = [];
  const between = createServer((client) => {
    const server = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
    sockets.push(client, server);
    client.on('data', (bytes) => {
      for (const [, number] of bytes.toString('latin1').matchAll(/ as "number_(\d)"/g))
        came.push(`asked ${number}`);
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      for (const [, number] of bytes.toString('latin1').matchAll(/number_(\d)/g))
        came.push(`answered ${number}`);
      client.write(bytes);
    });
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  const url = new URL(one.pool.options.connectionString ?? '');
  for (const name of ['host', 'port']) url.searchParams.delete(name);
  url.hostname = '127.0.0.1';
  url.port = `${(between.address() as { port: number }).port}`;
  const through = openDatabase({ url: url.href, connections: 1 });
  try {
    const ask = (number: number) =>
      sql`select pg_sleep(0.05), ${1}::integer as ${sql.id(`number_${number}`)}`;
    await through.db.transaction().execute(async (transaction) => {
      await together(transaction, (pipelined) =>
        [ask(1), ask(2), ask(3)].map((one) => one.execute(pipelined)),
      );
      await ask(4).execute(transaction);
    });
  } finally {
    await through.close();
    for (const socket of sockets) socket.destroy();
    between.close();
  }
  expect(came.slice(0, 3)).toEqual(['asked 1', 'asked 2', 'asked 3']);
  expect(came.slice(3)).toEqual(['answered 1', 'answered 2', 'answered 3', 'asked 4', 'answered 4']);
});

it('lets a connection have cursors afterwards', async () => {
  await using one = await openOne();
  await one.db
    .transaction()
    .execute((transaction) =>
      together(transaction, (pipelined) => [
        sql`select 1`.execute(pipelined),
        sql`select 2`.execute(pipelined),
      ]),
    );
  const client = await one.pool.connect();
  try {
    const cursor = client.query(new Cursor<{ n: number }>('select generate_series(1, 5) as n'));
    expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await cursor.read(9)).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }]);
    await cursor.close();
  } finally {
    client.release();
  }
});
