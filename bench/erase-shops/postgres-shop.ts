import type pg from 'pg';
import type { Bench } from '../benchmark.ts';
import { createDatabase, onDatabase } from '../on-database.ts';
import { createShop } from '../one-shop.ts';
import { NOBODY } from '../shop-of-one.ts';
import { countRows, eraseByHand, type HandSession, type HandWritten } from './erase-by-hand.ts';
import type { EraseShop } from './erase-shop.ts';

const TEMPLATE = 'shop_template';
const COPY = 'shop_copy';

const BY_HAND: HandWritten = {
  isPerson: 'lower(email) = lower($1)',
  erase: (table, column, gone) => `delete from ${table} where ${column} in (select id from ${gone})`,
};

export async function openPostgresShop(bench: Bench, rows: number): Promise<EraseShop> {
  const server = await bench.postgres();
  await createShop(bench, { name: TEMPLATE, rows });
  const url = server.superuserUrl(COPY);
  return {
    kind: 'postgres',
    url,
    async copy() {
      await createDatabase(server.superuserUrl(), COPY, TEMPLATE);
      await onDatabase(server.superuserUrl(), (client) => client.query('checkpoint'));
    },
    eraseByHand: (email) =>
      onDatabase(url, async (client) => {
        const session = sessionOf(client);
        await eraseByHand(session, BY_HAND, NOBODY);
        return await eraseByHand(session, BY_HAND, email);
      }),
    count: () => onDatabase(url, (client) => countRows(sessionOf(client))),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function sessionOf(client: pg.Client): HandSession {
  return {
    change: async (statement, values = []) => (await client.query(statement, [...values])).rowCount ?? 0,
    count: async (statement) => Number((await client.query<{ n: string }>(statement)).rows[0]?.n),
  };
}
