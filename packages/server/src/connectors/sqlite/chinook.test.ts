import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChinookStore, testChinook } from '../../../test/chinook-cases.ts';
import { requireData } from '../../../test/requirements.ts';
import { createSqliteFile } from '../../../test/sqlite-file.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { systemClock } from '../../foundation/index.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

const CHINOOK = requireData('sample-dbs/chinook');

testChinook('SQLite', CHINOOK === undefined ? undefined : () => fill(CHINOOK));

async function fill(folder: string): Promise<ChinookStore> {
  const file = createSqliteFile();
  copyFileSync(join(folder, 'Chinook_Sqlite.sqlite'), file.file);
  return {
    open: (dataset) =>
      createSqliteConnector({
        key: 'chinook',
        url: file.file,
        folder: '/',
        options: {},
        datasets: parseDatasets(dataset, 'chinook.yaml'),
        keepRules: [],
        clock: systemClock,
        connections: 2,
      }),
    rows: async (text) => file.rows(text),
    remove: async () => file.remove(),
  };
}
