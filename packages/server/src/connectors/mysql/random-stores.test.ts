import { afterAll, beforeAll, describe } from 'vitest';
import { createMariadbDatabase, type MariadbDatabase } from '../../../test/mariadb-database.ts';
import { testRandomStores } from '../../../test/random-stores.ts';
import { requireServer } from '../../../test/requirements.ts';
import { fixedClock } from '../../foundation/index.ts';
import { quoteIdentifier } from '../sql/index.ts';
import { createMysqlConnector } from './mysql-connector.ts';

const SERVERS = [
  ['MariaDB', await requireServer('mariadb')],
  ['MySQL', await requireServer('mysql')],
] as const;

for (const [product, server] of SERVERS)
  describe.skipIf(server === undefined)(product, () => {
    let database: MariadbDatabase;

    beforeAll(async () => {
      database = await createMariadbDatabase(server ?? '');
    });

    afterAll(() => database.drop());

    testRandomStores(() => ({
      sql: { integer: 'bigint', keyText: 'varchar(40)', text: 'text', addsForeignKeys: true },
      async fill(statements) {
        const tables = await database.rows(
          'select table_name from information_schema.tables where table_schema = database()',
        );
        await database.run([
          'set foreign_key_checks = 0',
          ...tables.map(([name]) => `drop table ${quoteIdentifier(`${name}`)}`),
          'set foreign_key_checks = 1',
          ...statements,
        ]);
      },
      open: (datasets) =>
        createMysqlConnector({
          key: 'random',
          url: database.url,
          datasets,
          clock: fixedClock('2026-01-01T00:00:00Z'),
          connections: 1,
        }),
      rows: (table, columns) =>
        database.rows(
          `select row_id, ${columns.map((column) => `cast(${quoteIdentifier(column)} as char)`).join(', ')} from ${quoteIdentifier(table)}`,
        ),
    }));
  });
