import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { type ExpectedErasure, naiveErasure } from '../../../test/naive-erasure.ts';
import { EMAILS, type RandomStore, randomStore } from '../../../test/random-store.ts';
import { columnsOf, createStatements, datasetOf, tableOf } from '../../../test/random-store-sql.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock, HabeasError } from '../../foundation/index.ts';
import type { Connector, KeyBatch, LocatedScope } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const RUNS = Number(process.env.HABEAS_TEST_RUNS ?? 40);

let database: TestDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  database = await createTestDatabase();
  client = await database.pool.connect();
});

afterAll(async () => {
  client.release();
  await database.close();
});

test(
  'erasing a person in a random store does what a naive model does, and leaves every other row as it was',
  async () => {
    await fc.assert(
      fc.asyncProperty(randomStore, fc.constantFrom(...EMAILS), async (store, email) => {
        await fill(store);
        const connector = open(store);
        try {
          await compare(store, { connector, email });
        } finally {
          await connector.close();
        }
      }),
      { numRuns: RUNS },
    );
  },
  10 * 60_000,
);

async function compare(
  store: RandomStore,
  options: { readonly connector: Connector; readonly email: string },
): Promise<void> {
  const { connector, email } = options;
  const want = naiveErasure(store, email);
  const health = await connector.check();
  // Stores in which a wish cannot be done are refused before anything runs; nothing else is to be said of them.
  if (!health.ok) {
    await expect(locate(connector, email)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    return;
  }
  expect(await collected(connector, email), 'collected').toEqual(countsOf(store, want.collected));

  const before = await rowsOf(store);
  const scope = await locate(connector, email);
  const dry = await connector.erase(scope, 'dry-run');
  expect(await rowsOf(store), 'a dry run').toEqual(before);
  if (want.refused) {
    await expect(connector.erase(scope, 'erase'), 'refused').rejects.toBeInstanceOf(HabeasError);
    expect(await rowsOf(store), 'a refused erasure').toEqual(before);
    return;
  }
  const erased = await connector.erase(scope, 'erase');
  const after = await rowsOf(store);
  expect(after, 'erased').toEqual(expectedRows(store, want));
  expect(nonZero(erased), 'counts').toEqual(countsOf(store, want.changed));
  expect(nonZero(dry), 'counts of the dry run').toEqual(countsOf(store, want.changed));

  const { remaining } = await connector.verify(scope);
  expect(
    Object.entries(remaining).filter(([, count]) => count > 0),
    'verified',
  ).toEqual([]);
  expect(nonZero(await connector.erase(scope, 'erase')), 'a second time').toEqual({});
  expect(await rowsOf(store), 'a second time').toEqual(after);
}

function open(store: RandomStore): Connector {
  return createPostgresConnector({
    key: 'random',
    url: database.url,
    datasets: parseDatasets(datasetOf(store), 'random.yaml'),
    clock: fixedClock('2026-01-01T00:00:00Z'),
    connections: 1,
  });
}

async function fill(store: RandomStore): Promise<void> {
  await client.query('drop schema if exists public cascade; create schema public; set search_path = public');
  await client.query(createStatements(store).join(';\n'));
}

async function locate(connector: Connector, email: string): Promise<LocatedScope> {
  const batches: KeyBatch[] = [];
  const scope = {
    organizationId: 'test',
    requestId: 'req_test',
    idempotencyKey: 'key',
    identities: [{ type: 'email', value: email }],
    dueTime: new Date('2026-02-01'),
    signal: new AbortController().signal,
  };
  for await (const batch of connector.locate?.(scope) ?? []) batches.push(batch);
  return {
    ...scope,
    async *keys() {
      yield* batches;
    },
  };
}

async function collected(connector: Connector, email: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const step of connector.collect(await locateNothing(email))) {
    if (step.state === 'item') counts[step.item.collection] = (counts[step.item.collection] ?? 0) + 1;
  }
  return counts;
}

async function locateNothing(email: string): Promise<LocatedScope> {
  return {
    organizationId: 'test',
    requestId: 'req_test',
    idempotencyKey: 'key',
    identities: [{ type: 'email', value: email }],
    dueTime: new Date('2026-02-01'),
    signal: new AbortController().signal,
    async *keys() {
      yield* [];
    },
  };
}

/** Row id → its columns as text. */
async function rowsOf(store: RandomStore): Promise<Readonly<Record<string, unknown>>> {
  const rows: Record<string, unknown> = {};
  for (const [index, table] of store.tables.entries()) {
    const columns = columnsOf(store, index).map((column) => `"${column}"::text`);
    const result = await client.query({
      text: `select row_id, ${columns.join(', ')} from "${table.name.replaceAll('"', '""')}"`,
      rowMode: 'array',
    });
    for (const [id, ...values] of result.rows) {
      rows[id] = values.map((value) =>
        typeof value === 'string' && /^erased-[0-9a-f]{20}$/.test(value) ? 'erased-' : value,
      );
    }
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

function countsOf(store: RandomStore, ids: ReadonlySet<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of store.rows) {
    if (!ids.has(row.id)) continue;
    const { name } = tableOf(store, row.table);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function nonZero(outcome: Awaited<ReturnType<Connector['erase']>>): Record<string, number> {
  if (outcome.state === 'pending') throw new Error('PostgreSQL answers at once');
  return Object.fromEntries(Object.entries(outcome.evidence.counts).filter(([, count]) => count > 0));
}
