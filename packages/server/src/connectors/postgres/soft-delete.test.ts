import type pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { arrayOf, collect, erase, located, scopeOf } from '../../../test/connector-contract.ts';
import { createTestDatabase } from '../../../test/database.ts';
import { type KeepRule, parseDatasets } from '../../catalog/index.ts';
import { fixedClock, HabeasError } from '../../foundation/index.ts';
import type { Connector, LocatedScope } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const ANN = [{ type: 'email', value: 'ann@example.com' }];
const AT = '2026-01-01T00:00:00Z';

/** Accounts and orders can be soft-deleted, one by a time and one by a boolean; visits cannot. */
const SCHEMA = `
  create table accounts (id int primary key, email text not null unique, name text, deleted_at timestamptz);
  create table orders (id int primary key, account_id int not null references accounts, note text, hidden boolean not null default false);
  create table visits (id int primary key, account_id int references accounts, ip text);
  insert into accounts values (1, 'ann@example.com', 'Ann', null), (2, 'bob@example.com', 'Bob', null);
  insert into orders values (1, 1, 'ring twice'), (2, 1, null), (3, 2, 'no hurry');
  insert into visits values (1, 1, '192.0.2.1'), (2, 2, '192.0.2.2');`;

const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: accounts
        habeas: { on_erase: delete, soft_delete: deleted_at }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: name, data_categories: [user.name] }
          - { name: deleted_at, data_categories: [system.operations] }
      - name: orders
        habeas: { soft_delete: hidden }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: account_id, fides_meta: { references: [{ dataset: shop, field: accounts.id, direction: from }] } }
          - { name: note, data_categories: [user.content.private] }
          - { name: hidden, data_categories: [system.operations] }
      - name: visits
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: account_id, fides_meta: { references: [{ dataset: shop, field: accounts.id, direction: from }] } }
          - { name: ip, data_categories: [user.device.ip_address] }
`;

interface Shop {
  readonly connector: Connector;
  readonly pool: pg.Pool;
  rows(table: string): Promise<readonly string[]>;
}

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function openShop(...keepRules: readonly KeepRule[]): Promise<Shop> {
  const { pool, url, close } = await createTestDatabase();
  await pool.query(`set search_path = public; ${SCHEMA}; set search_path = habeas`);
  const datasets = parseDatasets(DATASET, 'shop.yaml');
  const connector = createPostgresConnector({ key: 'shop', url, datasets, keepRules, clock: fixedClock(AT) });
  opened.push(async () => {
    await connector.close();
    await close();
  });
  return {
    connector,
    pool,
    async rows(table) {
      const { rows } = await pool.query(`select t::text as row from public."${table}" t order by id`);
      return rows.map(({ row }) => String(row).replaceAll(/erased-[0-9a-f]{20}/g, 'erased'));
    },
  };
}

const verify = ({ connector }: Shop, scope: LocatedScope) => connector.verify(scope);

const all = (values: 'masked' | 'left'): KeepRule => ({ category: 'user', action: 'soft-delete', values });

describe('a soft deletion by policy', () => {
  it('marks rows and masks their values; where no column can say so, rows are deleted', async () => {
    const shop = await openShop(all('masked'));
    const scope = await located(shop, ANN);
    const evidence = await erase(shop, scope);
    expect(await shop.rows('accounts')).toEqual([
      '(1,erased,,"2026-01-01 00:00:00+00")',
      '(2,bob@example.com,Bob,)',
    ]);
    expect(await shop.rows('orders')).toEqual(['(1,1,,t)', '(2,1,,t)', '(3,2,"no hurry",f)']);
    expect(await shop.rows('visits')).toEqual(['(2,2,192.0.2.2)']);
    expect(evidence).toMatchObject({
      counts: { accounts: 1, orders: 2, visits: 1 },
      effects: {
        accounts: { found: 1, erased: 0, masked: 1, hidden: 1, kept: 0, level: 'hidden' },
        orders: { found: 2, erased: 0, masked: 2, hidden: 2, kept: 0, level: 'hidden' },
        visits: { found: 1, erased: 1, masked: 0, kept: 0, level: 'logical' },
      },
      retained: [],
    });
    expect(await verify(shop, scope)).toMatchObject({
      remaining: { accounts: 0, orders: 0, visits: 0 },
      hidden: { accounts: 1, orders: 2 },
      retained: [],
    });
    // Once more changes nothing.
    expect((await erase(shop, scope)).counts).toEqual({ accounts: 0, orders: 0, visits: 0 });
  });

  it('leaves values where the policy says so, and tells that they are there and why', async () => {
    const shop = await openShop(
      all('left'),
      { category: 'user.contact.email', action: 'mask', mask: { strategy: 'random-email' } },
      { category: 'user.content', action: 'allow' },
    );
    const scope = await located(shop, ANN);
    const evidence = await erase(shop, scope);
    expect(await shop.rows('accounts')).toEqual([
      '(1,erased@erased.invalid,Ann,"2026-01-01 00:00:00+00")',
      '(2,bob@example.com,Bob,)',
    ]);
    // No rule soft-deletes an order any more, and without `on_erase` its values are masked.
    expect(await shop.rows('orders')).toEqual(['(1,1,,f)', '(2,1,,f)', '(3,2,"no hurry",f)']);
    const retained = [
      {
        collection: 'accounts',
        count: 1,
        reason: 'soft-deleted by policy: hidden by deleted_at, not erased',
        until: null,
      },
    ];
    expect(evidence).toMatchObject({ effects: { accounts: { hidden: 1, level: 'hidden' } }, retained });
    expect(await verify(shop, scope)).toMatchObject({
      remaining: { accounts: 0, orders: 0, visits: 0 },
      hidden: { accounts: 1 },
      retained,
    });
  });

  it('is not done while a row whose mark somebody took away can be read', async () => {
    const shop = await openShop(all('left'));
    const scope = await located(shop, ANN);
    await erase(shop, scope);
    await shop.pool.query(`update public.accounts set deleted_at = null where id = 1;
      update public.orders set hidden = false where id = 2`);
    expect((await verify(shop, scope)).remaining).toEqual({ accounts: 1, orders: 1, visits: 0 });
    await erase(shop, scope);
    expect((await verify(shop, scope)).remaining).toEqual({ accounts: 0, orders: 0, visits: 0 });
  });

  it('counts in a dry run and changes nothing; a row that was marked before keeps its time', async () => {
    const shop = await openShop(all('masked'));
    await shop.pool.query(`update public.accounts set deleted_at = '2020-05-05' where id = 1`);
    const scope = await located(shop, ANN);
    const before = await shop.rows('accounts');
    const counted = await shop.connector.erase(scope, 'dry-run');
    expect(counted).toMatchObject({ evidence: { counts: { accounts: 1, orders: 2, visits: 1 } } });
    expect(await shop.rows('accounts')).toEqual(before);
    await erase(shop, scope);
    expect((await shop.rows('accounts'))[0]).toBe('(1,erased,,"2020-05-05 00:00:00+00")');
    expect((await collect(shop, ANN)).items).toEqual([]);
  });

  it('keeps the duty to keep, and soft-deletes the rest of the row', async () => {
    const tax = { category: 'user.name', reason: 'tax', legalBasis: 'AO § 147', until: '2036-12-31' };
    const shop = await openShop(all('masked'), tax);
    const evidence = await erase(shop, await located(shop, ANN));
    expect((await shop.rows('accounts'))[0]).toBe('(1,erased,Ann,"2026-01-01 00:00:00+00")');
    expect(evidence.retained).toEqual([
      { collection: 'accounts', count: 1, reason: 'tax (AO § 147)', until: '2036-12-31' },
    ]);
    expect(evidence.effects).toMatchObject({ accounts: { hidden: 1 }, orders: { hidden: 2 } });
  });

  it('needs a boolean or a time', async () => {
    const shop = await openShop(all('masked'));
    await shop.pool.query('alter table public.orders alter hidden drop default, alter hidden type text');
    await expect(arrayOf(shop.connector.locate?.(scopeOf(ANN, [])) ?? [])).rejects.toThrow(HabeasError);
    await expect(arrayOf(shop.connector.locate?.(scopeOf(ANN, [])) ?? [])).rejects.toThrow(
      /shop.*"orders.hidden".*a boolean or a time/s,
    );
  });

  it('names a field of the collection', () => {
    const wrong = DATASET.replace('soft_delete: hidden', 'soft_delete: hiden');
    expect(() => parseDatasets(wrong, 'shop.yaml')).toThrow(/soft_delete.*"hiden".*none of the fields/);
  });
});
