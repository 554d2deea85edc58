import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { openTarget, syncTarget, type Target } from '../../src/consent/index.ts';
import { type MariadbServer, startMariadb } from '../mariadb-server.ts';
import { openTalkingHouse, PEOPLE, PURPOSES, type TalkingHouse } from './talking-house.ts';

const SHOP = [
  'create database shop character set utf8mb4',
  `create table shop.user_events (id int primary key, user_id varchar(100) collate utf8mb4_general_ci, user_number bigint, site varchar(10), n int)`,
  'create table shop.letters (id int primary key, address text character set utf8mb4 collate utf8mb4_unicode_ci, words int)',
  'create table shop.orders (id int primary key, customer bigint unsigned, total int)',
  'create table shop.`old "ones"` (id int primary key, `user id` char(20) character set latin1)',
  'create table shop.sites (site varchar(10) primary key, owner varchar(10))',
  `insert into shop.user_events select seq, concat('u-', seq % ${PEOPLE}), null, concat('s', seq % 4), seq % 7 from shop_numbers.numbers`,
  `insert into shop.user_events values (1001, null, null, 's1', 1), (1002, 'unknown', null, 's2', 2), (1003, 'U-1', null, 's2', 2), (1004, 'u-1 ', null, 's2', 2)`,
  `insert into shop.letters select seq, if(seq % 3 = 0, concat('\\t Person.', seq % ${PEOPLE}, '@Example.org\\n'), concat('person.', seq % ${PEOPLE}, '@example.org')), seq from shop_numbers.numbers`,
  `insert into shop.letters values (1001, null, 5)`,
  `insert into shop.orders select seq, (seq % ${PEOPLE}) * 1700, seq from shop_numbers.numbers`,
  `insert into shop.orders values (1001, null, 3), (1003, 99999999, 4), (1004, 9223372036854775807, 4)`,
  'insert into shop.`old "ones"` select seq, concat(\'u-\', seq % 12) from shop_numbers.numbers',
  `insert into shop.sites values ('s0', 'o0'), ('s1', 'o1')`,
];

/** Rows of people of a table, as SQL of the shop. */
export const PERSON_OF = {
  user_events: {
    type: 'user_id',
    person: "if(user_id regexp binary '^u-[0-9]+$', substr(user_id, 3) + 0, null)",
  },
  letters: { type: 'email', person: "regexp_substr(address, '[0-9]+') + 0" },
  orders: { type: 'customer', person: 'if(customer < 90000, customer / 1700, null)' },
  'old "ones"': { type: 'user_id', person: 'substr(`user id`, 3) + 0' },
} as const;

/** A Habeas that people tell what they agree to, and a shop in MariaDB whose jobs have to heed it. */
export interface MariadbHouse extends TalkingHouse {
  readonly target: Target;
  readonly server: MariadbServer;
  /** Of the target. */
  readonly url: string;
  readonly opened: ReturnType<typeof openTarget>;
  /** As the user of the target. */
  asInstaller(sql: string): Promise<void>;
  sync(reconcile?: boolean): ReturnType<typeof syncTarget>;
  /** Rows as somebody sees them who has the role of a purpose alone. */
  readAs(purpose: string, sql: string): Promise<readonly (readonly unknown[])[]>;
}

export async function openMariadbHouse(): Promise<MariadbHouse> {
  const habeas = await openTalkingHouse();
  const server = await startMariadb([
    '--innodb-flush-log-at-trx-commit=0',
    '--sync-frm=0',
    '--innodb-buffer-pool-size=32M',
    '--innodb-log-file-size=8M',
  ]);
  await server.run('create database shop_numbers');
  await server.run('create table shop_numbers.numbers as select seq from shop_numbers.seq_1_to_80');
  for (const statement of SHOP) await server.run(statement);
  // Only what the documentation asks for.
  await server.run("create user installer identified by 'secret'");
  for (const rights of INSTALLER_RIGHTS) await server.run(`grant ${rights} to installer with grant option`);
  await server.run("create user analyst identified by 'secret'");
  const protectedTable = { kind: 'protected', schema: 'shop', key: undefined } as const;
  const target: Target = {
    key: `t${randomBytes(5).toString('hex')}`,
    organizationId: habeas.organizationId,
    tables: [
      { ...protectedTable, name: 'user_events', identity: 'user_id', column: 'user_id', key: 'user_number' },
      { ...protectedTable, name: 'letters', identity: 'email', column: 'address' },
      { ...protectedTable, name: 'orders', identity: 'customer', column: 'customer', key: 'customer' },
      { ...protectedTable, name: 'old "ones"', identity: 'user_id', column: 'user id' },
      { kind: 'open', schema: 'shop', name: 'sites' },
    ],
    functions: [],
    numbers: new Set(['customer']),
    rowSecurity: false,
    purposes: PURPOSES,
  };
  const url = new URL(server.url);
  url.username = 'installer';
  url.password = 'secret';
  const asInstaller = async (sql: string) => {
    const connection = await createConnection({ uri: url.toString() });
    try {
      await connection.query(sql);
    } finally {
      await connection.end();
    }
  };
  const opened = openTarget({ key: target.key, url: url.toString() });
  return {
    ...habeas,
    target,
    server,
    url: url.toString(),
    opened,
    asInstaller,
    async sync(reconcile = false) {
      const source = await habeas.source.connect();
      try {
        return await syncTarget({
          target,
          source,
          changeable: opened,
          openValue: habeas.openValue,
          reconcile,
        });
      } finally {
        source.release();
      }
    },
    async readAs(purpose, sql) {
      await asInstaller(`grant \`habeas_${target.key}_${purpose}\` to analyst`);
      const connection = await createConnection({
        host: '127.0.0.1',
        port: Number(url.port),
        user: 'analyst',
        password: 'secret',
        charset: 'utf8mb4',
      });
      try {
        await connection.query(`set role \`habeas_${target.key}_${purpose}\``);
        const [rows] = await connection.query({ sql, rowsAsArray: true });
        return rows as unknown[][];
      } finally {
        await connection.end();
      }
    },
    async [Symbol.asyncDispose]() {
      await opened.close();
      await server[Symbol.asyncDispose]();
      await habeas[Symbol.asyncDispose]();
    },
  };
}

/** What docs/enforce-consent.md tells to grant. */
const INSTALLER_RIGHTS = [
  'select on shop.*',
  'select on mysql.*',
  'create user on *.*',
  'all privileges on habeas_consent.*',
  'all privileges on `purpose\\_%`.*',
];
