import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Dataset, parseDatasets } from '../src/catalog/index.ts';
import type { Connector } from '../src/connectors/index.ts';
import { HabeasError } from '../src/foundation/index.ts';
import { collect, erase, located, scopeOf } from './connector-contract.ts';
import { type ExpectedErasure, naiveErasure } from './naive-erasure.ts';
import { EMAILS, type RandomStore, randomStore } from './random-store.ts';
import { columnsOf, createStatements, datasetOf, type StoreSql, tableOf } from './random-store-sql.ts';

const RUNS = Number(process.env.HABEAS_TEST_RUNS ?? 40);

/** A store that random tables are made in. */
export interface RandomStoreHost {
  readonly sql: StoreSql;
  /** Foreign keys are declared and nobody looks at them, so that what breaks one is not refused. */
  readonly onlyDeclares?: true;
  /** Removes all tables and makes these. */
  fill(statements: readonly string[]): Promise<void>;
  open(datasets: readonly Dataset[]): Connector;
  /** Rows of `row_id` and these columns as text. Names are not quoted. */
  rows(table: string, columns: readonly string[]): Promise<readonly (readonly unknown[])[]>;
}

/** Erases people in random stores and compares with the naive model. */
export function testRandomStores(host: () => RandomStoreHost): void {
  test(
    'erasing a person in a random store does what a naive model does, and leaves every other row as it was',
    async () => {
      let erased = 0;
      await fc.assert(
        fc.asyncProperty(randomStore, fc.constantFrom(...EMAILS), async (store, email) => {
          if (await erases(host(), store, email)) erased += 1;
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
      // A connector that refuses every store would be right about all of them.
      expect(erased, 'stores that something was erased in').toBeGreaterThan(RUNS / 5);
    },
    10 * 60_000,
  );

  test('a row that the person’s row points at, and that is only detached, is not found: a foreign key of it stops the erasure', async () => {
    expect(naiveErasure(HELD_BY_ANOTHER, 'ann@example.com').refused).toBe(true);
    expect(await erases(host(), HELD_BY_ANOTHER, 'ann@example.com')).toBe(false);
  });
}

async function erases(host: RandomStoreHost, store: RandomStore, email: string): Promise<boolean> {
  await host.fill(createStatements(store, host.sql));
  const connector = host.open(parseDatasets(datasetOf(store), 'random.yaml'));
  try {
    return await compare(store, { host, connector, email });
  } finally {
    await connector.close();
  }
}

/** Ann's row points at Bob's, which is not hers, and Bob's row points at hers by a foreign key that finds nothing of hers. */
const HELD_BY_ANOTHER: RandomStore = {
  tables: [{ name: 'people', key: ['k1'], keyType: 'bigint', hasEmail: true, onErase: 'delete' }],
  references: (['detach', 'keep'] as const).map((wish, index) => ({
    name: `r${index}`,
    child: 0,
    parent: 0,
    columns: [`r${index}_0`],
    direction: wish === 'detach' ? 'both' : 'to',
    wish,
    shared: false,
    foreignKey: 'no action',
  })),
  rows: [
    {
      id: '0.0',
      table: 0,
      values: { k1: '1', email: 'ann@example.com', r0_0: '2', r1_0: null, note: null, code: 'a' },
    },
    {
      id: '0.1',
      table: 0,
      values: { k1: '2', email: 'bob@example.com', r0_0: null, r1_0: '1', note: null, code: 'b' },
    },
  ],
};

/** Whether something was erased. */
async function compare(
  store: RandomStore,
  options: { readonly host: RandomStoreHost; readonly connector: Connector; readonly email: string },
): Promise<boolean> {
  const { host, connector } = options;
  const person = [{ type: 'email', value: options.email }];
  const want = naiveErasure(store, options.email);
  const health = await connector.check();
  // Stores in which a wish cannot be done are refused before anything runs; nothing else is to be said of them.
  if (!health.ok) {
    await expect(located({ connector }, person)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    return false;
  }
  const { items } = await collect({ connector }, person);
  expect(countsOf(items.map(({ collection }) => collection)), 'collected').toEqual(
    rowsByTable(store, want.collected),
  );

  const before = await rowsOf(store, host);
  const scope = await located({ connector }, person);
  const dry = await erase({ connector }, scope, 'dry-run');
  expect(await rowsOf(store, host), 'a dry run').toEqual(before);
  if (want.refused && host.onlyDeclares) return false;
  if (want.refused) {
    await expect(connector.erase(scope, 'erase'), 'refused').rejects.toBeInstanceOf(HabeasError);
    expect(await rowsOf(store, host), 'a refused erasure').toEqual(before);
    return false;
  }
  const erased = await erase({ connector }, scope);
  const after = await rowsOf(store, host);
  expect(after, 'erased').toEqual(expectedRows(store, want));
  expect(nonZero(erased.counts), 'counts').toEqual(rowsByTable(store, want.changed));
  expect(nonZero(dry.counts), 'counts of the dry run').toEqual(rowsByTable(store, want.changed));

  const { remaining } = await connector.verify(scopeOf(person, await Array.fromAsync(scope.keys())));
  expect(nonZero(remaining), 'verified').toEqual({});
  expect(nonZero((await erase({ connector }, scope)).counts), 'a second time').toEqual({});
  expect(await rowsOf(store, host), 'a second time').toEqual(after);
  return want.changed.size > 0;
}

/** Row id → its columns as text. */
async function rowsOf(store: RandomStore, host: RandomStoreHost): Promise<Readonly<Record<string, unknown>>> {
  const rows: Record<string, unknown> = {};
  for (const [index, table] of store.tables.entries()) {
    for (const [id, ...values] of await host.rows(table.name, columnsOf(store, index)))
      rows[`${id}`] = values.map((value) =>
        typeof value === 'string' && /^erased-[0-9a-f]{20}$/.test(value) ? 'erased-' : value,
      );
  }
  return rows;
}

function expectedRows(store: RandomStore, want: ExpectedErasure): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    store.rows.flatMap((row) => {
      const values = want.after.get(row.id);
      return values === undefined
        ? []
        : [[row.id, columnsOf(store, row.table).map((column) => values[column] ?? null)]];
    }),
  );
}

function rowsByTable(store: RandomStore, ids: ReadonlySet<string>): Record<string, number> {
  return countsOf(store.rows.filter((row) => ids.has(row.id)).map((row) => tableOf(store, row.table).name));
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function nonZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
