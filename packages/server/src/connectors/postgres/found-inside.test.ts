import { afterAll } from 'vitest';
import { createTestDatabase } from '../../../test/database.ts';
import { testFoundInside } from '../../../test/found-inside.ts';
import type { InsideStores } from '../../../test/inside-stores.ts';
import { testRandomInsides } from '../../../test/random-insides.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing) await close();
});

const stores: InsideStores = {
  types: ['jsonb'],
  takesAnything: () => false,
  keepsBoth: false,
  keepsLongNumbers: true,
  async open(dataset, statements) {
    const database = await createTestDatabase();
    const run = async (more: readonly string[]) => {
      for (const statement of more)
        await database.pool.query(`set search_path = public; ${statement}; set search_path = habeas`);
    };
    await run(statements);
    const connector = createPostgresConnector({
      key: 'shop',
      url: database.url,
      datasets: parseDatasets(dataset, 'shop.yaml'),
      clock: fixedClock('2026-01-01T00:00:00Z'),
    });
    closing.push(async () => {
      await connector.close();
      await database.close();
    });
    return {
      connector,
      run,
      async texts(statement) {
        const { rows } = await database.pool.query<{ value: string | null }>(
          statement.replace(/^select (\w+) from /, 'select $1::text as value from public.'),
        );
        return rows.map(({ value }) => value);
      },
    };
  },
};

testFoundInside('PostgreSQL', stores);
testRandomInsides('PostgreSQL', stores);
