import type { Bench } from '../benchmark.ts';
import { createDatabase, onDatabase } from '../on-database.ts';
import { createShop } from '../one-shop.ts';
import { ERASE_BY_HAND, NOBODY, SHOP_TABLES } from '../shop-of-one.ts';
import { timed } from '../statistics.ts';
import type { EraseShop } from './erase-shop.ts';

const TEMPLATE = 'shop_template';
const COPY = 'shop_copy';

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
        for (const statement of ERASE_BY_HAND) await client.query(statement, [NOBODY]);
        const { milliseconds, result } = await timed(async () => {
          let erased = 0;
          await client.query('begin');
          for (const statement of ERASE_BY_HAND)
            erased += (await client.query(statement, [email])).rowCount ?? 0;
          await client.query('commit');
          return erased;
        });
        return { milliseconds, rows: result };
      }),
    count: () =>
      onDatabase(url, async (client) => {
        const counts = SHOP_TABLES.map((table) => `(select count(*) from ${table})`);
        const { rows: counted } = await client.query<{ n: string }>(`select ${counts.join(' + ')} as n`);
        return Number(counted[0]?.n);
      }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
