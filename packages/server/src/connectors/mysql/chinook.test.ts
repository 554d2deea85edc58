import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChinookStore, testChinook } from '../../../test/chinook-cases.ts';
import { createMariadbDatabase } from '../../../test/mariadb-database.ts';
import { requireData, requireServer } from '../../../test/requirements.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { systemClock } from '../../foundation/index.ts';
import { createMysqlConnector } from './mysql-connector.ts';

const CHINOOK = requireData('sample-dbs/chinook');
const SERVERS = [
  ['MariaDB', await requireServer('mariadb')],
  ['MySQL', await requireServer('mysql')],
] as const;

for (const [product, server] of SERVERS)
  testChinook(
    product,
    CHINOOK === undefined || server === undefined ? undefined : () => fill(server, CHINOOK),
  );

async function fill(server: string, folder: string): Promise<ChinookStore> {
  const database = await createMariadbDatabase(server);
  const script = readFileSync(join(folder, 'Chinook_MySql.sql'), 'utf8');
  const tables = script.slice(script.indexOf('CREATE TABLE'));
  await database.run(
    tables.split(/;\s*\n/).filter((statement) => /^\s*(CREATE|ALTER|INSERT)/m.test(statement)),
  );
  return {
    open: (dataset) =>
      createMysqlConnector({
        key: 'chinook',
        url: database.url,
        datasets: parseDatasets(dataset, 'chinook.yaml'),
        clock: systemClock,
      }),
    rows: (text) => database.rows(text),
    remove: () => database.drop(),
  };
}
