import { eventually } from '../../packages/server/test/eventually.ts';
import { type MariadbServer, startMariadb } from '../../packages/server/test/mariadb-server.ts';
import type { Bench } from '../benchmark.ts';
import { NOBODY, SHOP_TABLES } from '../shop-of-one.ts';
import { countRows, eraseByHand, type HandSession, type HandWritten } from './erase-by-hand.ts';
import type { EraseShop } from './erase-shop.ts';
import { rowsOfShop, type TableRows } from './rows-of-shop.ts';

const TEMPLATE = 'shop_template';
const COPY = 'shop_copy';
const ROWS_PER_INSERT = 1_000;

const SCHEMA: readonly string[] = [
  'create table customers (id bigint auto_increment primary key, email varchar(255) not null, name text not null)',
  'create table addresses (id bigint auto_increment primary key, customer_id bigint not null, street text not null, city text not null)',
  `create table orders (
     id bigint auto_increment primary key, customer_id bigint not null, ip varchar(45), note text, ordered_at datetime not null)`,
  `create table order_lines (
     order_id bigint not null, line_no smallint not null, sku varchar(255) not null, engraving text, price_cents integer not null,
     primary key (order_id, line_no))`,
  `create table payments (
     id bigint auto_increment primary key, order_id bigint not null, holder text not null, token varchar(255) not null)`,
  `create table messages (
     id bigint auto_increment primary key, customer_id bigint not null, body text not null, sent_at datetime not null)`,
];

/** Added after the rows, as a restore does it. A foreign key makes its own index. */
const REFERENCES: readonly string[] = [
  'create index customers_email on customers (email)',
  'alter table addresses add foreign key (customer_id) references customers (id)',
  'alter table orders add foreign key (customer_id) references customers (id)',
  'alter table order_lines add foreign key (order_id) references orders (id)',
  'alter table payments add foreign key (order_id) references orders (id)',
  'alter table messages add foreign key (customer_id) references customers (id)',
];

const BY_HAND: HandWritten = {
  // The collation knows no case.
  isPerson: 'email = ?',
  // MariaDB would look into a subquery once for each row.
  erase: (table, column, gone) => `delete t from ${table} t join ${gone} g on t.${column} = g.id`,
};

/** On a MariaDB of its own with MariaDB's own settings: InnoDB, and each commit on the disk. */
export async function openMysqlShop(bench: Bench, rows: number): Promise<EraseShop> {
  const data = await rowsOfShop(bench, rows);
  const server = await startMariadb();
  await create(server, TEMPLATE, data);
  const session: HandSession = {
    change: async (statement, values = []) => (await server.run(statement, values)).changed,
    count: async (statement) => Number((await server.run(statement)).rows[0]?.n),
  };
  return {
    kind: 'mysql',
    url: `${server.url}/${COPY}`,
    async copy() {
      await create(server, COPY);
      await settled(server);
    },
    async eraseByHand(email) {
      await server.run(`use ${COPY}`);
      await eraseByHand(session, BY_HAND, NOBODY);
      return await eraseByHand(session, BY_HAND, email);
    },
    count: () => countRows(session, COPY),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A database with these rows, or with those of the template. */
async function create(server: MariadbServer, name: string, data?: readonly TableRows[]): Promise<void> {
  for (const statement of [
    `drop database if exists ${name}`,
    `create database ${name}`,
    `use ${name}`,
    ...SCHEMA,
  ])
    await server.run(statement);
  if (data === undefined)
    for (const table of SHOP_TABLES)
      await server.run(`insert into ${table} select * from ${TEMPLATE}.${table}`);
  else for (const table of data) await insert(server, table);
  for (const statement of REFERENCES) await server.run(statement);
  await server.run(`analyze table ${SHOP_TABLES.join(', ')}`);
}

async function insert(server: MariadbServer, { table, columns, rows }: TableRows): Promise<void> {
  // A zero would be taken for a missing number.
  await server.run(`set sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES'`);
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT)
    await server.run(`insert into ${table} (${columns.join(', ')}) values ?`, [
      rows.slice(from, from + ROWS_PER_INSERT),
    ]);
}

/** Waits until InnoDB has removed what was deleted before, and has written all pages. */
async function settled(server: MariadbServer): Promise<void> {
  await server.run('set global innodb_max_dirty_pages_pct = 0');
  await eventually(
    'MariaDB has written everything',
    async () => {
      const { rows } = await server.run(
        `select variable_value as n from information_schema.global_status
          where variable_name in ('INNODB_HISTORY_LIST_LENGTH', 'INNODB_BUFFER_POOL_PAGES_DIRTY')`,
      );
      return rows.every(({ n }) => Number(n) === 0);
    },
    120,
  );
  await server.run('set global innodb_max_dirty_pages_pct = default');
}
