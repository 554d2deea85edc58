import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrayOf, collect, erase, located, scopeOf, sum } from '../../../test/connector-contract.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { requireData } from '../../../test/requirements.ts';
import { type CollectionShape, draftDataset, lintDatasets, parseDatasets } from '../../catalog/index.ts';
import { systemClock } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

/** A real, well-known shop database: https://github.com/lerocha/chinook-database. */
const CHINOOK = requireData('sample-dbs/chinook');

const TABLES = {
  album: 'album_id',
  artist: 'artist_id',
  customer: 'customer_id',
  employee: 'employee_id',
  genre: 'genre_id',
  invoice: 'invoice_id',
  invoice_line: 'invoice_line_id',
  media_type: 'media_type_id',
  playlist: 'playlist_id',
  playlist_track: "(playlist_id || '-' || track_id)",
  track: 'track_id',
} as const;
type Table = keyof typeof TABLES;

/** Which rows are customer $1's, by somebody who knows the schema by heart. */
const OF_CUSTOMER: Readonly<Partial<Record<Table, string>>> = {
  customer: 'customer_id = $1',
  invoice: 'customer_id = $1',
  invoice_line: 'invoice_id in (select invoice_id from invoice where customer_id = $1)',
};

describe.skipIf(CHINOOK === undefined)('every customer and employee of chinook', () => {
  let database: TestDatabase;
  let client: pg.PoolClient;
  let shapes: readonly CollectionShape[];
  let connector: Connector;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = await database.pool.connect();
    await client.query('drop schema habeas cascade; set search_path = public; set timezone = utc');
    const script = readFileSync(join(CHINOOK ?? '', 'Chinook_PostgreSql.sql'), 'utf8');
    await client.query(script.slice(script.indexOf('\\c chinook;') + '\\c chinook;'.length));
    const discovery = open('dataset: [{ fides_key: none, collections: [] }]');
    shapes = await arrayOf(discovery.discover?.(new AbortController().signal) ?? []);
    await discovery.close();
    connector = open(whatErasureMeans(draftDataset(shapes, { key: 'chinook' })));
  });

  afterAll(async () => {
    await connector?.close();
    client?.release();
    await database?.close();
  });

  function open(dataset: string): Connector {
    return createPostgresConnector({
      key: 'chinook',
      url: database.url,
      datasets: parseDatasets(dataset, 'chinook.yaml'),
      clock: systemClock,
    });
  }

  test('the draft has every table and column, both identities, and every reference', () => {
    const [dataset] = parseDatasets(draftDataset(shapes, { key: 'chinook' }), 'chinook.yaml');
    const drafted = dataset?.collections ?? [];
    expect(drafted.map(({ name }) => name)).toEqual(Object.keys(TABLES));
    expect(sum(Object.fromEntries(drafted.map(({ name, fields }) => [name, fields.length])))).toBe(
      shapes.reduce((total, shape) => total + shape.fields.length, 0),
    );
    const identities = drafted.flatMap(({ name, fields }) =>
      fields.flatMap((field) =>
        field.identity === undefined ? [] : [`${name}.${field.name}: ${field.identity.type}`],
      ),
    );
    expect(identities).toEqual(expect.arrayContaining(['customer.email: email', 'employee.email: email']));
    const references = drafted.flatMap(({ name, references }) =>
      references.map(
        (reference) => `${name}.${reference.columns} -> ${reference.target}.${reference.targetColumns}`,
      ),
    );
    expect(references.toSorted()).toEqual(
      shapes
        .flatMap((shape) =>
          shape.references.map(
            ({ columns, target, targetColumns }) => `${shape.name}.${columns} -> ${target}.${targetColumns}`,
          ),
        )
        .toSorted(),
    );
  });

  test('the draft fits the schema, deletes nothing, and has no mistake that stops a request', async () => {
    const text = draftDataset(shapes, { key: 'chinook' });
    const datasets = parseDatasets(text, 'chinook.yaml');
    expect(lintDatasets(datasets, { shapes }).filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(text).not.toMatch(/on_erase: delete/);
    const drafted = open(text);
    expect(await drafted.check()).toMatchObject({ ok: true, problems: [] });
    await drafted.close();
  });

  test('each of the 59 customers is corrected as plain SQL would do it, and back again byte for byte', async () => {
    const { rows: customers } = await client.query<{ customer_id: number; email: string; city: string }>(
      'select customer_id, email, city from customer order by customer_id',
    );
    expect(customers).toHaveLength(59);
    const before = await everything();
    for (const { customer_id: id, email, city } of customers) {
      const wanted = `Habeas ${id}`;
      // The oracle: somebody who knows the schema writes the statements by hand, and takes them back.
      await client.query('begin');
      await client.query('update customer set city = $2 where customer_id = $1', [id, wanted]);
      await client.query(
        'update invoice set billing_city = $2 where customer_id = $1 and billing_city = $3',
        [id, wanted, city],
      );
      const expected = await hashesOfOthers({}, id);
      await client.query('rollback');
      await rectifyCity(email, city, wanted);
      expect(await hashesOfOthers({}, id), `customer ${id}`).toEqual(expected);
      await rectifyCity(email, wanted, city);
    }
    expect(await everything()).toEqual(before);
  });

  /** Corrects a person's city wherever it has the wrong value, and reads again. */
  async function rectifyCity(email: string, from: string, to: string): Promise<void> {
    const work = {
      kind: 'rectify' as const,
      changes: [{ target: 'user.contact.address.city', from, to }],
    };
    const scope = scopeOf([{ type: 'email', value: email }], []);
    const keys = await arrayOf(connector.locate?.(scope, work) ?? []);
    const found = scopeOf(scope.identities, keys);
    expect(await connector.change?.(found, work, 'change')).toMatchObject({ state: 'done' });
    const again = await connector.change?.(found, work, 'dry-run');
    expect(again?.state === 'done' ? sum(again.evidence.counts) : undefined).toBe(0);
  }

  test('each of the 59 customers gets their rows, loses exactly these, and nobody loses anything else', async () => {
    const { rows: customers } = await client.query<{ customer_id: number; email: string }>(
      'select customer_id, email from customer order by customer_id',
    );
    expect(customers).toHaveLength(59);
    for (const { customer_id: id, email } of customers) {
      const identities = [{ type: 'email', value: email }];
      const want = await countsWhere(id);
      const others = await hashesOfOthers(OF_CUSTOMER, id);
      expect((await collect({ connector }, identities)).evidence.counts, `customer ${id}: collected`).toEqual(
        want,
      );

      const scope = await located({ connector }, identities);
      expect((await erase({ connector }, scope)).counts, `customer ${id}: erased`).toEqual(want);
      expect(await countsWhere(id), `customer ${id}: left`).toEqual({});
      expect(await hashesOfOthers(OF_CUSTOMER, id), `customer ${id}: others`).toEqual(others);
      expect(sum((await connector.verify(scope)).remaining), `customer ${id}: verified`).toBe(0);
    }
    const { rows } = await client.query(
      'select (select count(*) from invoice)::int + (select count(*) from invoice_line)::int as left',
    );
    expect(rows).toEqual([{ left: 0 }]);
  });

  test('each employee is erased alone: customers and reports only lose the reference', async () => {
    await client.query('begin');
    await client.query(
      `insert into customer (customer_id, first_name, last_name, email, support_rep_id)
       select 100 + g, 'New', 'Customer', 'new' || g || '@example.com', 3 + g % 3 from generate_series(1, 9) g`,
    );
    await client.query('commit');
    const { rows: employees } = await client.query<{ employee_id: number; email: string }>(
      'select employee_id, email from employee order by employee_id',
    );
    for (const { employee_id: id, email } of employees) {
      const pointing = {
        customer: await keysOf('customer', 'support_rep_id = $1', id),
        employee: await keysOf('employee', 'reports_to = $1', id),
      };
      const before = await everything();
      const scope = await located({ connector }, [{ type: 'email', value: email }]);
      const { items } = await collect({ connector }, [{ type: 'email', value: email }]);
      expect(items.map(({ collection, row }) => [collection, row.employee_id])).toEqual([
        ['employee', `${id}`],
      ]);
      await erase({ connector }, scope);
      const after = await everything();
      for (const table of Object.keys(TABLES) as Table[]) {
        const changed = [...(before.get(table) ?? [])]
          .filter(([key, row]) => after.get(table)?.get(key) !== row)
          .map(([key]) => key);
        const expected =
          table === 'customer'
            ? pointing.customer
            : table === 'employee'
              ? [...pointing.employee, `${id}`]
              : [];
        expect(changed.toSorted(), `employee ${id}: ${table}`).toEqual(expected.toSorted());
      }
      expect(await keysOf('customer', 'support_rep_id = $1', id)).toEqual([]);
      expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    }
    expect(await keysOf('employee', '$1 = 0', 0)).toEqual([]);
  });

  /** Rows of customer $1 by table; tables without any are left out. */
  async function countsWhere(id: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [table, condition] of Object.entries(OF_CUSTOMER)) {
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int from ${table} where ${condition}`,
        [id],
      );
      if ((rows[0]?.count ?? 0) > 0) counts[table] = rows[0]?.count ?? 0;
    }
    return counts;
  }

  /** A hash over all rows of each table that are somebody else's. */
  async function hashesOfOthers(
    own: Readonly<Partial<Record<Table, string>>>,
    id: number,
  ): Promise<Record<string, string | null>> {
    const hashes: Record<string, string | null> = {};
    for (const [table, key] of Object.entries(TABLES)) {
      const condition = own[table as Table] ?? '$1 < 0';
      const { rows } = await client.query<{ hash: string | null }>(
        `select md5(string_agg(md5(t::text), '' order by ${key})) as hash from ${table} t where not (${condition})`,
        [id],
      );
      hashes[table] = rows[0]?.hash ?? null;
    }
    return hashes;
  }

  async function keysOf(table: Table, condition: string, id: number): Promise<readonly string[]> {
    const { rows } = await client.query<{ key: string }>(
      `select ${TABLES[table]}::text as key from ${table} where ${condition}`,
      [id],
    );
    return rows.map(({ key }) => key);
  }

  async function everything(): Promise<ReadonlyMap<Table, ReadonlyMap<string, string>>> {
    const all = new Map<Table, ReadonlyMap<string, string>>();
    for (const [table, key] of Object.entries(TABLES)) {
      const { rows } = await client.query<{ key: string; row: string }>(
        `select ${key}::text as key, t::text as row from ${table} t`,
      );
      all.set(table as Table, new Map(rows.map(({ key: name, row }) => [name, row])));
    }
    return all;
  }
});

/** What a person who knows the shop changes in the draft: people and what is theirs alone are deleted. */
function whatErasureMeans(draft: string): string {
  const edited = draft.replaceAll('on_erase: mask', 'on_erase: delete');
  expect(edited).toContain('on_erase: detach');
  return edited;
}
