import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parseDatasets } from '../../../packages/server/src/catalog/index.ts';
import {
  type Connector,
  createPostgresConnector,
  type KeyBatch,
  type LocatedScope,
} from '../../../packages/server/src/connectors/index.ts';
import { systemClock } from '../../../packages/server/src/foundation/index.ts';
import { person } from '../people.ts';
import { seedShop } from '../services/orders/seed.ts';
import { customerIdOf } from '../services/orders/shop-rows.ts';

const PEOPLE = 30;
const database = `acme_${randomBytes(6).toString('hex')}`;
const url = Object.assign(new URL(inject('databaseUrl')), { pathname: `/${database}` }).toString();
const file = new URL('../datasets/shop.yml', import.meta.url);

/** The key of each table as text, so that the oracle can name rows. */
const TABLES = {
  products: 'sku',
  customers: 'id::text',
  addresses: 'id::text',
  customer_addresses: "customer_id || '-' || address_id",
  orders: 'id::text',
  order_lines: "order_id || '-' || line_no",
  returns: "order_id || '-' || line_no",
  payment_cards: 'id::text',
  support_messages: 'id::text',
  order_audit: 'id::text',
} as const;
type Table = keyof typeof TABLES;

const MINE = 'select id from orders where customer_id = $1';
/** Written by hand, without the dataset: which rows erasing customer $1 has to remove … */
const REMOVED: Readonly<Record<Exclude<Table, 'products' | 'order_audit'>, string>> = {
  customers: 'id = $1',
  customer_addresses: 'customer_id = $1',
  orders: 'customer_id = $1',
  order_lines: `order_id in (${MINE})`,
  returns: `order_id in (${MINE})`,
  payment_cards: 'customer_id = $1',
  support_messages: 'customer_id = $1',
  // … with an address only if nobody else lives there or had something sent there …
  addresses: `(id in (select address_id from customer_addresses where customer_id = $1)
      or id in (select ship_to from orders where customer_id = $1))
    and id not in (select address_id from customer_addresses where customer_id <> $1)
    and id not in (select ship_to from orders where customer_id <> $1 and ship_to is not null)`,
};
/** … and which rows it has to change. */
const CHANGED: Readonly<Partial<Record<Table, string>>> = {
  order_audit: 'customer_id = $1',
  support_messages: `customer_id is distinct from $1
    and parent in (select id from support_messages where customer_id = $1)`,
};

let shop: pg.Client;
let connector: Connector;

beforeAll(async () => {
  await seedShop({ url, people: PEOPLE });
  shop = new pg.Client({ connectionString: url });
  await shop.connect();
  const datasets = parseDatasets(readFileSync(file, 'utf8'), 'shop.yml');
  connector = createPostgresConnector({ key: 'shop', url, datasets, clock: systemClock });
});

afterAll(async () => {
  await connector.close();
  await shop.end();
  const server = new pg.Client({ connectionString: inject('databaseUrl') });
  await server.connect();
  await server.query(`drop database if exists ${database} with (force)`);
  await server.end();
});

async function keysWhere(table: Table, condition: string, customerId: number): Promise<ReadonlySet<string>> {
  const text = `select ${TABLES[table]} as key from ${table} where ${condition}`;
  const { rows } = await shop.query<{ key: string }>(text, [customerId]);
  return new Set(rows.map(({ key }) => key));
}

async function rowsOf(table: Table): Promise<ReadonlyMap<string, string>> {
  const { rows } = await shop.query<{ key: string; text: string }>(
    `select ${TABLES[table]} as key, t::text as text from ${table} t`,
  );
  return new Map(rows.map(({ key, text }) => [key, text]));
}

async function eachTable<Value>(read: (table: Table) => Promise<Value>): Promise<Map<Table, Value>> {
  const found = new Map<Table, Value>();
  for (const table of Object.keys(TABLES) as Table[]) found.set(table, await read(table));
  return found;
}

async function locate(n: number): Promise<LocatedScope> {
  const scope = {
    organizationId: 'acme',
    requestId: `req_${n}`,
    idempotencyKey: `key_${n}`,
    identities: [{ type: 'email', value: person(n).email }],
    dueTime: new Date('2030-01-01'),
    signal: new AbortController().signal,
  };
  const batches: KeyBatch[] = [];
  for await (const batch of connector.locate?.(scope) ?? []) batches.push(batch);
  return {
    ...scope,
    keys: async function* () {
      yield* batches;
    },
  };
}

it('fits the database that the shop makes', async () => {
  expect(await connector.check()).toMatchObject({ ok: true, problems: [] });
});

it('erases one customer after the other, and nothing of anybody else', async () => {
  // Not one after their neighbour, so that who shares an address goes first or last by turns.
  for (let turn = 0; turn < PEOPLE; turn += 1) {
    const n = (turn * 7) % PEOPLE;
    const customerId = customerIdOf(n);
    const removed = await eachTable(async (table) =>
      table in REMOVED
        ? keysWhere(table, REMOVED[table as keyof typeof REMOVED], customerId)
        : new Set<string>(),
    );
    const changed = await eachTable((table) =>
      keysWhere(table, CHANGED[table] ?? 'false and $1 > 0', customerId),
    );
    const before = await eachTable(rowsOf);
    const scope = await locate(n);
    await connector.erase(scope, 'erase');

    const after = await eachTable(rowsOf);
    for (const [table, rows] of before) {
      const now = after.get(table) ?? new Map<string, string>();
      const gone = [...rows.keys()].filter((key) => !now.has(key));
      const other = [...now].filter(([key, text]) => rows.get(key) !== text).map(([key]) => key);
      expect(gone.toSorted(), `${table}, customer ${customerId}: removed`).toEqual(
        [...(removed.get(table) ?? [])].toSorted(),
      );
      expect(other.toSorted(), `${table}, customer ${customerId}: changed`).toEqual(
        [...(changed.get(table) ?? [])].toSorted(),
      );
    }
    const { remaining, retained } = await connector.verify(scope);
    expect(Object.values(remaining).every((count) => count === 0)).toBe(true);
    expect(retained.reduce((sum, { count }) => sum + count, 0)).toBe(changed.get('order_audit')?.size);
  }
  const { rows } = await shop.query(
    `select count(*)::int as kept, count(customer_id)::int as pointing, count(buyer_ip)::int as ips,
       count(*) filter (where buyer_email not like 'erased-%')::int as emails from order_audit`,
  );
  expect(rows[0]).toMatchObject({ pointing: 0, ips: 0, emails: 0 });
  expect(rows[0].kept).toBeGreaterThan(PEOPLE);
});
