import { rmSync } from 'node:fs';
import { afterAll } from 'vitest';
import { testRandomStores } from '../../../test/random-stores.ts';
import { createSqliteFile } from '../../../test/sqlite-file.ts';
import { fixedClock } from '../../foundation/index.ts';
import { quoteIdentifier } from '../sql/index.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

const store = createSqliteFile();

afterAll(() => store.remove());

testRandomStores(() => ({
  sql: { integer: 'integer', keyText: 'text', text: 'text', addsForeignKeys: false },
  async fill(statements) {
    rmSync(store.file, { force: true });
    store.run([...statements]);
  },
  open: (datasets) =>
    createSqliteConnector({
      key: 'random',
      url: store.file,
      folder: '/',
      options: {},
      keepRules: [],
      datasets,
      clock: fixedClock('2026-01-01T00:00:00Z'),
      connections: 1,
    }),
  rows: async (table, columns) =>
    store.rows(
      `select row_id, ${columns.map((column) => `cast(${quoteIdentifier(column)} as text)`).join(', ')} from ${quoteIdentifier(table)}`,
    ),
}));
