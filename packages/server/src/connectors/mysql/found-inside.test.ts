import { afterAll, describe } from 'vitest';
import { testFoundInside } from '../../../test/found-inside.ts';
import type { InsideStores } from '../../../test/inside-stores.ts';
import { createMariadbDatabase } from '../../../test/mariadb-database.ts';
import { testRandomInsides } from '../../../test/random-insides.ts';
import { requireServer } from '../../../test/requirements.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createMysqlConnector } from './mysql-connector.ts';

const SERVERS = [
  ['MariaDB', await requireServer('mariadb')],
  ['MySQL', await requireServer('mysql')],
] as const;
const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing) await close();
});

for (const [product, server] of SERVERS)
  describe.skipIf(server === undefined)(product, () => {
    const stores: InsideStores = {
      types: ['json', 'mediumtext'],
      takesAnything: (type) => type !== 'json',
      keepsBoth: product === 'MariaDB',
      keepsLongNumbers: product === 'MariaDB',
      async open(dataset, statements) {
        const database = await createMariadbDatabase(server ?? '');
        await database.run(statements);
        const connector = createMysqlConnector({
          key: 'shop',
          url: database.url,
          datasets: parseDatasets(dataset, 'shop.yaml'),
          clock: fixedClock('2026-01-01T00:00:00Z'),
        });
        closing.push(async () => {
          await connector.close();
          await database.drop();
        });
        return {
          connector,
          run: (more) => database.run(more),
          texts: async (statement) =>
            (
              await database.rows(statement.replace(/^select (\w+) from/, 'select cast($1 as char) from'))
            ).map(([value]) => (value === null ? null : `${value}`)),
        };
      },
    };

    testFoundInside(product, stores);
    testRandomInsides(product, stores);
  });
