import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { collect, scopeOf } from '../../../test/connector-contract.ts';
import { createTestDatabase } from '../../../test/database.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { ChangeMode, ChangeWork, Connector, Evidence, FieldChange, KeyBatch } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const SCHEMA = `
  create table customers (
    id int primary key, email text not null unique, city varchar(12), born date, credit numeric(8,2) check (credit >= 0),
    restricted_at timestamptz, no_ads boolean, no_sale boolean not null default false, code text generated always as (lower(email)) stored
  );
  create table orders (id int primary key, customer_id int references customers, ship_city text, note text);
  create table invoices (id int primary key, customer_id int references customers, city text);
  insert into customers (id, email, city, born, credit, no_ads) values
    (1, 'ann@example.com', 'Graz', '1980-01-02', 5, null), (2, 'bob@example.com', 'Graz', null, 0, false);
  insert into orders values (1, 1, 'Graz', 'Graz'), (2, 1, 'Wien', ''), (3, 2, 'Graz', '');
  insert into invoices values (1, 1, 'Graz'), (2, 2, 'Graz');
`;
const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: customers
        habeas:
          flags:
            restriction: restricted_at
            opt_out_of_sale: no_sale
            objection: { marketing.advertising: no_ads }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: city, data_categories: [user.contact.address.city] }
          - { name: born, data_categories: [user.demographic.date_of_birth] }
          - { name: credit, data_categories: [user.financial], habeas: { source: derived } }
          - { name: code, data_categories: [user.contact.email], fides_meta: { read_only: true } }
      - name: orders
        fields:
          - { name: id }
          - name: customer_id
            fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] }
          - { name: ship_city, data_categories: [user.contact.address.city] }
          - { name: note }
      - name: invoices
        fields:
          - { name: id }
          - name: customer_id
            fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] }
          - name: city
            data_categories: [user.contact.address.city]
            habeas: { rectify: { keep: { reason: The invoice was sent like this, legal_basis: AO § 147 } } }
`;
const ANN = [{ type: 'email', value: 'ann@example.com' }];
const KEY = Buffer.alloc(32, 7);
const TABLES = ['customers', 'orders', 'invoices'];

interface Store {
  readonly connector: Connector;
  readonly pool: pg.Pool;
  rows(): Promise<Readonly<Record<string, readonly string[]>>>;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function openStore(dataset = DATASET): Promise<Store> {
  const database = await createTestDatabase();
  await database.pool.query(`set search_path = public; ${SCHEMA}; set search_path = habeas`);
  const connector = createPostgresConnector({
    key: 'shop',
    url: database.url,
    datasets: parseDatasets(dataset, 'shop.yml'),
    clock: fixedClock('2026-03-01T12:00:00Z'),
  });
  closing.push(async () => {
    await connector.close();
    await database.close();
  });
  return {
    connector,
    pool: database.pool,
    async rows() {
      const rows: Record<string, readonly string[]> = {};
      for (const table of TABLES) {
        const found = await database.pool.query(`select t::text as row from public.${table} t order by id`);
        rows[table] = found.rows.map(({ row }) => row);
      }
      return rows;
    },
  };
}

async function change(
  { connector }: Store,
  work: ChangeWork,
  options: { readonly mode?: ChangeMode; readonly keys?: readonly KeyBatch[] } = {},
): Promise<Evidence & { readonly keys: readonly KeyBatch[] }> {
  const scope = { ...scopeOf(ANN, []), evidenceKey: KEY };
  const keys = options.keys ?? (await Array.fromAsync(connector.locate?.(scope, work) ?? []));
  const located = {
    ...scope,
    async *keys() {
      yield* keys;
    },
  };
  const outcome = await connector.change?.(located, work, options.mode ?? 'change');
  if (outcome?.state !== 'done') throw new Error('it is not done');
  return { ...outcome.evidence, keys };
}

const rectify = (
  ...changes: readonly (Pick<FieldChange, 'target' | 'to'> & Partial<FieldChange>)[]
): ChangeWork => ({
  kind: 'rectify',
  changes: changes.map((one) => ({ from: undefined, ...one })),
});
const CITY = 'user.contact.address.city';

describe('a rectification in PostgreSQL', () => {
  test('changes every copy of the wrong value and nothing else, and is done once', async () => {
    const store = await openStore();
    const before = await store.rows();
    const work = rectify({ target: CITY, from: 'Graz', to: 'Linz' });
    const { keys, ...tried } = await change(store, work, { mode: 'dry-run' });
    expect(tried.counts).toEqual({ customers: 1, orders: 1, invoices: 0 });
    expect(await store.rows()).toEqual(before);
    const done = await change(store, work, { keys });
    expect(done).toMatchObject({ matched: true, counts: { customers: 1, orders: 1, invoices: 0 } });
    expect(done.retained).toEqual([
      { collection: 'invoices', count: 1, reason: 'The invoice was sent like this', until: null },
    ]);
    const after = await store.rows();
    expect(after.invoices).toEqual(before.invoices);
    expect(after.customers?.[1]).toBe(before.customers?.[1]);
    expect(after.customers?.[0]).toContain('Linz');
    // The free text "note" has no category, and the order that went to Wien was never wrong.
    expect(after.orders).toEqual(['(1,1,Linz,Graz)', '(2,1,Wien,"")', '(3,2,Graz,"")']);
    expect((await change(store, work, { keys })).counts).toEqual({ customers: 0, orders: 0, invoices: 0 });
    expect(await store.rows()).toEqual(after);
  });

  test('has the former values in its evidence as keyed hashes alone', async () => {
    const store = await openStore();
    const { replaced, ...evidence } = await change(store, rectify({ target: CITY, to: 'Linz' }));
    const hash = (text: string) => createHmac('sha256', KEY).update(text).digest('base64url');
    expect(replaced).toEqual([
      { collection: 'orders', field: 'ship_city', count: 2, old: [hash('Graz'), hash('Wien')].sort() },
      { collection: 'customers', field: 'city', count: 1, old: [hash('Graz')] },
    ]);
    expect(JSON.stringify([replaced, evidence])).not.toMatch(/Graz|Wien|Linz/);
  });

  test('corrects the very value by which the person was found', async () => {
    const store = await openStore();
    const work = rectify({ target: 'user.contact.email', to: 'anna@example.com' });
    const { keys, counts } = await change(store, work);
    expect(counts).toEqual({ customers: 1 });
    const { rows } = await store.pool.query('select email, code from public.customers where id = 1');
    expect(rows).toEqual([{ email: 'anna@example.com', code: 'anna@example.com' }]);
    expect((await change(store, work, { keys, mode: 'dry-run' })).counts).toEqual({ customers: 0 });
  });

  test.each([
    ['a text that is too long', CITY, 'Llanfairpwllgwyngyll'],
    ['what is no date', 'user.demographic.date_of_birth', '1980-02-31'],
    ['a number that would be rounded', 'user.financial', 1.005],
    ['what a check refuses', 'user.financial', -1],
    ['a value that another row has', 'user.contact.email', 'bob@example.com'],
    ['nothing where something must be', 'user.contact.email', null],
  ])('refuses %s before anything is changed, and never names it', async (_, target, to) => {
    const store = await openStore();
    const before = await store.rows();
    for (const mode of ['dry-run', 'change'] as const) {
      const failure = await change(store, rectify({ target, to }), { mode }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'VALUE_INVALID' });
      expect(String(failure)).not.toContain(String(to ?? 'ann@example.com'));
    }
    expect(await store.rows()).toEqual(before);
  });

  test('takes all values of one table together, so that rules between columns see the whole', async () => {
    const store = await openStore();
    await store.pool.query(
      'alter table public.customers add check ((city is null) = (born is null)) not valid',
    );
    const { counts } = await change(
      store,
      rectify({ target: 'shop.customers.city', to: null }, { target: 'shop.customers.born', to: null }),
    );
    expect(counts).toEqual({ customers: 1 });
  });

  test('refuses a column that the database alone writes, unless the dataset calls it read-only', async () => {
    const store = await openStore(DATASET.replace(', fides_meta: { read_only: true }', ''));
    const failure = await change(store, rectify({ target: 'user.contact.email', to: 'a@b.example' })).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'SCHEMA_MISMATCH' });
    expect(String(failure)).toContain('customers.code');
  });
});

describe('marks in PostgreSQL', () => {
  const works: readonly (readonly [string, (effect: 'set' | 'lift') => ChangeWork, string])[] = [
    ['a restriction', (effect) => ({ kind: 'restrict', effect }), '"2026-03-01 12:00:00+00"'],
    [
      'an objection to what its purpose covers',
      (effect) => ({ kind: 'object', right: 'objection', purposes: ['marketing'], effect }),
      ',t,f,',
    ],
    [
      'an opt-out of sale',
      (effect) => ({ kind: 'object', right: 'opt_out_of_sale', purposes: [], effect }),
      ',t,ann@',
    ],
  ];

  test.each(works)('%s is set once, and lifted again leaves every byte as it was', async (_, work, mark) => {
    const store = await openStore();
    const before = await store.rows();
    expect((await change(store, work('set'), { mode: 'dry-run' })).counts).toEqual({ customers: 1 });
    expect(await store.rows()).toEqual(before);
    expect((await change(store, work('set'))).counts).toEqual({ customers: 1 });
    const marked = await store.rows();
    expect(marked.customers?.[0]).toContain(mark);
    expect({ ...marked, customers: marked.customers?.slice(1) }).toEqual({
      ...before,
      customers: before.customers?.slice(1),
    });
    expect((await change(store, work('set'))).counts).toEqual({ customers: 0 });
    expect((await change(store, work('lift'))).counts).toEqual({ customers: 1 });
    expect(await store.rows()).toEqual(before);
  });

  test('need a column that can carry them', async () => {
    const store = await openStore(DATASET.replace('restriction: restricted_at', 'restriction: city'));
    await expect(change(store, { kind: 'restrict', effect: 'set' })).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('is neither a boolean nor a timestamp'),
    });
  });
});

test.each([
  ['given', true],
  ['provided', false],
] as const)('what the dataset calls observed is part of what was %s: %s', async (sources, isThere) => {
  const { connector } = await openStore(DATASET.replace('source: derived', 'source: observed'));
  const { items, evidence } = await collect({ connector }, ANN, sources);
  const customer = items.find(({ collection }) => collection === 'customers');
  expect('credit' in (customer?.row ?? {})).toBe(isThere);
  expect(evidence.notes.some((note) => note.includes('credit is left out: it was observed'))).toBe(!isThere);
});

test('a portability leaves out what the dataset calls derived', async () => {
  const { connector } = await openStore();
  const { items } = await collect({ connector }, ANN, 'given');
  const customer = items.find(({ collection }) => collection === 'customers');
  expect(Object.keys(customer?.row ?? {})).toEqual(['id', 'email', 'city', 'born', 'code']);
});
