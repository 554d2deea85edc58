import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { person } from '../../people.ts';
import { seedShop } from './seed.ts';
import { livesWith, SHOP_TABLES } from './shop-rows.ts';

const PEOPLE = 60;
const opened: { client: pg.Client; name: string }[] = [];

/** A name that no database has yet; `seedShop` creates it. */
function newShopUrl(): { url: string; name: string } {
  const name = `acme_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${name}`;
  return { url: url.toString(), name };
}

async function connect({ url, name }: { url: string; name: string }): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  opened.push({ client, name });
  return client;
}

async function hashes(client: pg.Client): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const table of Object.keys(SHOP_TABLES)) {
    const { rows } = await client.query<{ hash: string }>(
      `select md5(coalesce(string_agg(t::text, e'\\n' order by t::text), '')) as hash from ${table} t`,
    );
    found[table] = rows[0]?.hash ?? '';
  }
  return found;
}

async function count(client: pg.Client, text: string, values: unknown[] = []): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`select count(*) from ${text}`, values);
  return Number(rows[0]?.count);
}

afterEach(async () => {
  for (const { client, name } of opened.splice(0)) {
    await client.end();
    const server = new pg.Client({ connectionString: inject('databaseUrl') });
    await server.connect();
    await server.query(`drop database if exists ${name} with (force)`);
    await server.end();
  }
});

describe('seedShop', () => {
  it('creates the database, and makes the same shop on every machine', async () => {
    const [first, second] = [newShopUrl(), newShopUrl()];
    expect(await seedShop({ url: first.url, people: PEOPLE })).toBe('seeded');
    expect(await seedShop({ url: second.url, people: PEOPLE })).toBe('seeded');
    expect(await hashes(await connect(first))).toEqual(await hashes(await connect(second)));
  });

  it('leaves a shop alone that it filled before, whatever happened to it since', async () => {
    const shop = newShopUrl();
    await seedShop({ url: shop.url, people: PEOPLE });
    const client = await connect(shop);
    await client.query('delete from payment_cards where customer_id = 1');
    const before = await hashes(client);
    expect(await seedShop({ url: shop.url, people: PEOPLE })).toBe('was there');
    expect(await hashes(client)).toEqual(before);
  });

  it('begins anew when another number of people, or a fresh shop, is asked for', async () => {
    const shop = newShopUrl();
    await seedShop({ url: shop.url, people: PEOPLE });
    const client = await connect(shop);
    const before = await hashes(client);
    expect(await seedShop({ url: shop.url, people: 10 })).toBe('seeded');
    expect(await count(client, 'customers')).toBe(10);
    expect(await seedShop({ url: shop.url, people: PEOPLE })).toBe('seeded');
    expect(await hashes(client)).toEqual(before);
    await client.query('truncate payment_cards');
    expect(await seedShop({ url: shop.url, people: PEOPLE, fresh: true })).toBe('seeded');
    expect(await hashes(client)).toEqual(before);
  });

  it('leaves nothing behind when it ends in the middle, and seeds the next time', async () => {
    const shop = newShopUrl();
    const broken = seedShop({
      url: shop.url,
      people: PEOPLE,
      onProgress: () => {
        throw new Error('the power went');
      },
    });
    await expect(broken).rejects.toThrow('the power went');
    const client = await connect(shop);
    expect(await count(client, "pg_class where relnamespace = 'public'::regnamespace")).toBe(0);
    expect(await seedShop({ url: shop.url, people: PEOPLE })).toBe('seeded');
  });

  it('lets two who start together fill the shop once', async () => {
    const shop = newShopUrl();
    await connect({ url: inject('databaseUrl'), name: shop.name });
    const outcomes = await Promise.all([1, 2, 3].map(() => seedShop({ url: shop.url, people: PEOPLE })));
    expect(outcomes.toSorted()).toEqual(['seeded', 'was there', 'was there']);
  });

  it("refuses a database with somebody else's tables and changes nothing in it", async () => {
    const shop = newShopUrl();
    await seedShop({ url: shop.url, people: 1 });
    const client = await connect(shop);
    await client.query('comment on table customers is null');
    const before = await hashes(client);
    await expect(seedShop({ url: shop.url, people: PEOPLE })).rejects.toThrow('did not make');
    expect(await hashes(client)).toEqual(before);
  });

  it('holds what makes a shop hard: shared addresses, threads of several people, composite keys', async () => {
    const shop = newShopUrl();
    await seedShop({ url: shop.url, people: PEOPLE });
    const client = await connect(shop);
    const shared = await client.query<{ people: string[] }>(
      `select array_agg(user_id order by id) as people from customers
       join customer_addresses on customer_id = id where kind = 'home'
       group by address_id having count(*) > 1 order by address_id`,
    );
    const pairs = Array.from({ length: PEOPLE }, (_, n) => n).filter((n) => livesWith(n) !== n);
    expect(shared.rows.map((row) => row.people)).toEqual(
      pairs.map((n) => [person(livesWith(n)).userId, person(n).userId]),
    );
    const answersToOthers = `support_messages answer join support_messages question on question.id = answer.parent
      where answer.customer_id <> question.customer_id`;
    expect(await count(client, answersToOthers)).toBeGreaterThan(5);
    expect(await count(client, 'support_messages where customer_id is null')).toBeGreaterThan(5);
    expect(await count(client, 'order_lines where line_no > 1')).toBeGreaterThan(50);
    expect(await count(client, 'returns')).toBeGreaterThan(0);
    expect(await count(client, 'customers where email = $1', [person(1).email])).toBe(1);
  });

  it('lets the shop write the next row', async () => {
    const shop = newShopUrl();
    await seedShop({ url: shop.url, people: PEOPLE });
    const client = await connect(shop);
    const { rows } = await client.query<{ id: string }>(
      "insert into addresses (street, city, country) values ('1 Quay', 'Bath', 'GB') returning id",
    );
    expect(Number(rows[0]?.id)).toBeGreaterThan(PEOPLE);
  });
});
