import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { applyInstall, changeablePostgres, syncTarget, type Target } from '../../src/consent/index.ts';
import { createTestDatabase, onServer, openPool } from '../database.ts';
import { openTalkingHouse, PEOPLE, PURPOSES, type Said, type TalkingHouse } from './talking-house.ts';

export * from './talking-house.ts';

const SHOP = `
create collation case_ignored (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table user_events (id int primary key, user_id text, user_key int, site text, n int);
create table letters (id int primary key, address text, words int);
create table orders (id int primary key, customer int, site text, total int) partition by range (id);
create table orders_1 partition of orders for values from (0) to (40);
create table orders_2 partition of orders for values from (40) to (100000);
create table accounts (id int primary key, account text collate case_ignored, total int);
create table sites (site text primary key, owner text);
create view busy as select site, count(*) as n from user_events group by site;
insert into user_events select i, 'u-' || i % ${PEOPLE}, null, 's' || i % 4, i % 7 from generate_series(1, 80) i;
insert into user_events values (1001, null, null, 's1', 1), (1002, 'unknown', null, 's2', 2);
insert into letters select i, case i % 3 when 0 then ' Person.' || i % ${PEOPLE} || '@Example.org' else 'person.' || i % ${PEOPLE} || '@example.org' end, i from generate_series(1, 60) i;
insert into letters values (1001, null, 5);
insert into orders select i, (i % ${PEOPLE}) * 1700, 's' || i % 4, i from generate_series(1, 80) i;
insert into orders values (1001, null, 's1', 3), (1002, -5, 's1', 4), (1003, 99999999, 's1', 4), (1004, 134217728, 's1', 5), (1005, 2147483647, 's2', 6);
insert into accounts select i, case when i % ${PEOPLE} % 3 = 0 then 'k-' || i % ${PEOPLE} else (array[U&'k\\00f6\\1e69-', U&'ko\\0308s\\0323\\0307-', U&'k\\00f6s\\0307\\0323-'])[1 + i / ${PEOPLE} % 3] || i % ${PEOPLE} end, i from generate_series(1, 80) i;
insert into accounts values (1001, null, 1), (1002, U&'ko\\0308-stranger', 2), (1003, 'K-3', 3);
insert into sites select 's' || i, 'o' || i from generate_series(0, 4) i;`;

/** Rows of a person of a table, as SQL of the shop: who was meant, whatever the column looks like. */
const PERSON_OF = {
  user_events: { type: 'user_id', person: "case when user_id ~ '^u-' then substr(user_id, 3)::int end" },
  letters: { type: 'email', person: "substring(address from '[0-9]+')::int" },
  accounts: { type: 'account', person: 'substring(account collate "C" from \'^k.*-([0-9]+)$\')::int' },
  orders: { type: 'customer', person: 'case when customer between 0 and 90000 then customer / 1700 end' },
} as const;

export interface TargetHouse extends Omit<TalkingHouse, 'organizationId'> {
  readonly target: Target;
  readonly shop: pg.Pool;
  readonly shopUrl: string;
  sync(reconcile?: boolean): ReturnType<typeof syncTarget>;
  install(): ReturnType<typeof applyInstall>;
  /** Makes schemas `truth_<purpose>` of the rows of people who may be used, by what was said before. */
  makeTruth(said: readonly Said[]): Promise<void>;
}

/** A Habeas that people tell what they agree to, and a shop whose jobs have to heed it. */
export async function openTargetHouse(options: { readonly locale?: string } = {}): Promise<TargetHouse> {
  const habeas = await openTalkingHouse();
  const database = await createTestDatabase({}, options);
  const shop = openPool({ connectionString: database.url, statement_timeout: 20_000 });
  await shop.query(SHOP);
  const target: Target = {
    key: `t${randomBytes(5).toString('hex')}`,
    organizationId: habeas.organizationId,
    tables: [
      {
        kind: 'protected',
        schema: 'public',
        name: 'user_events',
        identity: 'user_id',
        column: 'user_id',
        key: 'user_key',
      },
      {
        kind: 'protected',
        schema: 'public',
        name: 'letters',
        identity: 'email',
        column: 'address',
        key: undefined,
      },
      {
        kind: 'protected',
        schema: 'public',
        name: 'orders',
        identity: 'customer',
        column: 'customer',
        key: 'customer',
      },
      {
        kind: 'protected',
        schema: 'public',
        name: 'accounts',
        identity: 'account',
        column: 'account',
        key: undefined,
      },
      { kind: 'open', schema: 'public', name: 'sites' },
    ],
    functions: [],
    numbers: new Set(['customer']),
    rowSecurity: true,
    purposes: PURPOSES,
  };
  const onShop = async <Result>(work: (client: pg.PoolClient) => Promise<Result>) => {
    const client = await shop.connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  };
  return {
    target,
    shop,
    shopUrl: database.url,
    source: habeas.source,
    say: habeas.say,
    openValue: habeas.openValue,
    committedIn: habeas.committedIn,
    sync: (reconcile = false) =>
      onShop(async (client) => {
        const source = await habeas.source.connect();
        try {
          return await syncTarget({
            target,
            source,
            changeable: changeablePostgres(client),
            openValue: habeas.openValue,
            reconcile,
          });
        } finally {
          source.release();
        }
      }),
    install: () => onShop((client) => applyInstall(client, target)),
    async makeTruth(said) {
      for (const { code, optOut } of PURPOSES) {
        await shop.query(
          `drop schema if exists truth_${code} cascade; create schema truth_${code}; create table truth_${code}.sites as table public.sites`,
        );
        for (const [table, { type, person }] of Object.entries(PERSON_OF)) {
          const latest = new Map(
            said
              .filter((one) => one.type === type && one.choices[code] !== undefined)
              .map((one) => [one.person, one.choices[code]]),
          );
          // Of numbers that no bitmap has nobody can note what was said.
          const noted =
            optOut && table === 'orders' ? ' and (customer between 0 and 134217727) is not false' : '';
          const others = [...latest].filter(([, granted]) => granted !== optOut).map(([one]) => one);
          await shop.query(
            `create table truth_${code}.${table} as select * from public.${table} where ((${person}) = any($1::int[])) is ${optOut ? 'not ' : ''}true${noted}`.replace(
              '$1',
              `'{${others.join(',')}}'`,
            ),
          );
        }
        await shop.query(
          `create view truth_${code}.busy as select site, count(*) as n from truth_${code}.user_events group by site`,
        );
      }
    },
    async [Symbol.asyncDispose]() {
      await shop.end();
      await database.close();
      await habeas[Symbol.asyncDispose]();
      for (const name of [...PURPOSES.map(({ code }) => code), 'rows'])
        await onServer(`drop role if exists "habeas_${target.key}_${name}"`);
    },
  };
}
