import { closeSync, copyFileSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Bench } from '../benchmark.ts';
import { NOBODY, SHOP_TABLES } from '../shop-of-one.ts';
import { timed } from '../statistics.ts';
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

const OF_PERSON = '(select id from customers where email = ? collate nocase)';
const OF_ORDERS = `(select id from orders where customer_id in ${OF_PERSON})`;

/** What a programmer would write who knows the schema by heart. */
const ERASE_BY_HAND: readonly string[] = [
  `delete from order_lines where order_id in ${OF_ORDERS}`,
  `delete from payments where order_id in ${OF_ORDERS}`,
  `delete from orders where customer_id in ${OF_PERSON}`,
  `delete from messages where customer_id in ${OF_PERSON}`,
  `delete from addresses where customer_id in ${OF_PERSON}`,
  `delete from customers where email = ? collate nocase`,
];

/** A file with SQLite's own settings, as node:sqlite opens it: a rollback journal, each commit on the disk, foreign keys enforced. */
export async function openSqliteShop(bench: Bench, rows: number): Promise<EraseShop> {
  const folder = bench.folder('sqlite-shop');
  const template = join(folder, 'template.db');
  const file = join(folder, 'shop.db');
  create(template, await rowsOfShop(bench, rows));
  const using = <Result>(act: (database: DatabaseSync) => Result): Result => {
    const database = new DatabaseSync(file);
    try {
      return act(database);
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
    eraseByHand: async (email) => {
      const database = new DatabaseSync(file);
      // Whoever is asked to erase has SQLite overwrite what it deletes; Habeas does.
      database.exec('pragma secure_delete = on');
      try {
        const statements = ERASE_BY_HAND.map((text) => database.prepare(text));
        for (const statement of statements) statement.run(NOBODY);
        const { milliseconds, result } = await timed(() => {
          database.exec('begin');
          const erased = statements.map((statement) => Number(statement.run(email).changes));
          database.exec('commit');
          return erased.reduce((sum, count) => sum + count, 0);
        });
        return { milliseconds, rows: result };
      } finally {
        database.close();
      }
    },
    count: async () =>
      using((database) => {
        const counts = SHOP_TABLES.map((table) => `(select count(*) from ${table})`);
        return Number(database.prepare(`select ${counts.join(' + ')} as n`).get()?.n);
      }),
    [Symbol.asyncDispose]: async () => undefined,
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
