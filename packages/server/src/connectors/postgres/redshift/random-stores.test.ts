import { afterAll, beforeAll, expect } from 'vitest';
import { POSTGRES_SQL } from '../../../../test/random-store-sql.ts';
import { testRandomStores } from '../../../../test/random-stores.ts';
import {
  ONLY_DECLARED,
  type RedshiftDouble,
  startRedshiftDouble,
} from '../../../../test/redshift/redshift-double.ts';
import { fixedClock } from '../../../foundation/index.ts';
import { quoteIdentifier } from '../../sql/index.ts';
import { createPostgresConnector } from '../postgres-connector.ts';

let double: RedshiftDouble;

beforeAll(async () => {
  double = await startRedshiftDouble('select 1');
});

afterAll(async () => {
  await double.close();
  expect(double.refused).toEqual([]);
});

testRandomStores(() => ({
  sql: { ...POSTGRES_SQL, keyText: 'varchar(80)', text: 'varchar(200)' },
  onlyDeclares: true,
  async fill(statements) {
    // Redshift takes no `on delete`.
    const tables = statements.map((text) =>
      text.replace(/ on delete (cascade|set null|restrict|no action)$/, ''),
    );
    await double.query('drop schema public cascade; create schema public');
    await double.query(
      `set search_path = public; ${tables.join(';\n')}; reset search_path; ${ONLY_DECLARED}`,
    );
  },
  open: (datasets) =>
    createPostgresConnector({
      key: 'random',
      url: double.url,
      datasets,
      clock: fixedClock('2026-01-01T00:00:00Z'),
      connections: 1,
      options: { dialect: 'redshift' },
    }),
  async rows(table, columns) {
    const selected = columns.map((column) => `${quoteIdentifier(column)}::text`);
    return await double.query(`select row_id, ${selected.join(', ')} from public.${quoteIdentifier(table)}`);
  },
}));
