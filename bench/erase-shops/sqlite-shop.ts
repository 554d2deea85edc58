import { closeSync, copyFileSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Bench } from '../benchmark.ts';
import { NOBODY } from '../shop-of-one.ts';
import { countRows, eraseByHand, type HandSession, type HandWritten } from './erase-by-hand.ts';
import type { EraseShop } from './erase-shop.ts';
import { rowsOfShop, type TableRows } from './rows-of-shop.ts';

const SCHEMA = `
create table customers (id integer primary key, email text not null, name text not null);
create table addresses (
  id integer primary key, customer_id integer not null references customers, street text not null, city text not null);
create table orders (
  id integer primary key, customer_id integer not null references customers, ip text, note text, ordered_at text not null);
create table order_lines (
  order_id integer not null references orders, line_no integer not null, sku text not null, engraving text, price_cents integer not null,
  primary key (order_id, line_no));
create table payments (
  id integer primary key, order_id integer not null references orders, holder text not null, token text not null);
create table messages (
  id integer primary key, customer_id integer not null references customers, body text not null, sent_at text not null);`;

const INDEXES = `
create index customers_email on customers (email collate nocase);
create index addresses_customer on addresses (customer_id);
create index orders_customer on orders (customer_id);
create index payments_order on payments (order_id);
create index messages_customer on messages (customer_id);
analyze;`;

const BY_HAND: HandWritten = {
  isPerson: 'email = ? collate nocase',
  erase: (table, column, gone) => `delete from ${table} where ${column} in (select id from ${gone})`,
};

/** A file with SQLite's own settings, as node:sqlite opens it: a rollback journal, each commit on the disk, foreign keys enforced. */
export async function openSqliteShop(bench: Bench, rows: number): Promise<EraseShop> {
  const folder = bench.folder('sqlite-shop');
  const template = join(folder, 'template.db');
  const file = join(folder, 'shop.db');
  create(template, await rowsOfShop(bench, rows));
  const using = async <Result>(act: (session: HandSession) => Promise<Result>): Promise<Result> => {
    const database = new DatabaseSync(file);
    // Whoever is asked to erase has SQLite overwrite what it deletes; Habeas does.
    database.exec('pragma secure_delete = on');
    try {
      return await act(sessionOf(database));
    } finally {
      database.close();
    }
  };
  return {
    kind: 'sqlite',
    url: file,
    async copy() {
      // A new file, so that a connection to the former one is seen to be one.
      rmSync(file, { force: true });
      copyFileSync(template, file);
      const handle = openSync(file, 'r+');
      fsyncSync(handle);
      closeSync(handle);
    },
    eraseByHand: (email) =>
      using(async (session) => {
        await eraseByHand(session, BY_HAND, NOBODY);
        return await eraseByHand(session, BY_HAND, email);
      }),
    count: () => using((session) => countRows(session)),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function sessionOf(database: DatabaseSync): HandSession {
  return {
    change: async (statement, values = []) => Number(database.prepare(statement).run(...values).changes),
    count: async (statement) => Number(database.prepare(statement).get()?.n),
  };
}

function create(file: string, data: readonly TableRows[]): void {
  const database = new DatabaseSync(file);
  database.exec(`begin; ${SCHEMA}`);
  for (const { table, columns, rows } of data) {
    const insert = database.prepare(
      `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    );
    for (const row of rows) insert.run(...row);
  }
  database.exec(`${INDEXES} commit`);
  database.close();
}
