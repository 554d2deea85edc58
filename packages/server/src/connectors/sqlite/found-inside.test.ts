import { afterAll } from 'vitest';
import { testFoundInside } from '../../../test/found-inside.ts';
import type { InsideStores } from '../../../test/inside-stores.ts';
import { testRandomInsides } from '../../../test/random-insides.ts';
import { createSqliteFile } from '../../../test/sqlite-file.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing) await close();
});

const stores: InsideStores = {
  types: ['json', 'text check (json_valid(doc))', 'text'],
  takesAnything: (type) => !type.includes('check'),
  keepsBoth: true,
  keepsLongNumbers: true,
  async open(dataset, statements) {
    const file = createSqliteFile();
    file.run(statements);
    const connector = createSqliteConnector({
      key: 'shop',
      url: file.file,
      folder: '/',
      options: {},
      datasets: parseDatasets(dataset, 'shop.yaml'),
      keepRules: [],
      clock: fixedClock('2026-01-01T00:00:00Z'),
      connections: 2,
    });
    closing.push(async () => {
      await connector.close();
      file.remove();
    });
    return {
      connector,
      run: (more) => file.run(more),
      texts: async (statement) => file.rows(statement).map(([value]) => (value === null ? null : `${value}`)),
    };
  },
};

testFoundInside('SQLite', stores);
testRandomInsides('SQLite', stores);
