import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { readZip } from '../../../test/read-zip.ts';
import { newSecretKey } from '../../foundation/index.ts';
import { type BlobRef, createBlobStore } from '../blob-store.ts';
import { requestMigrations } from '../migrations.ts';
import { packageFiles } from '../package/archive.ts';
import { type WriteZipOptions, writeZip } from '../package/write-zip.ts';
import { type CollectedCollection, CollectionWriter } from './collection-writer.ts';
import { PieceShelf } from './piece-shelf.ts';
import { readCollected } from './read-collected.ts';

const builtAt = new Date('2026-01-03T00:00:00Z');
const key = newSecretKey();
let database: TestDatabase;
let requests = 0;

beforeAll(async () => {
  database = await createTestDatabase(requestMigrations);
});
afterAll(() => database.close());

const blobs = () => createBlobStore(database.db, key);

function newBlob(): BlobRef {
  requests += 1;
  return { organizationId: 'acme', requestId: `req_${requests}`, blob: 'items/tsk_1/1' };
}

type Rows = readonly Readonly<Record<string, unknown>>[];

async function collect(
  blob: BlobRef,
  tables: Readonly<Record<string, Rows>>,
): Promise<readonly CollectedCollection[]> {
  await using shelf = new PieceShelf(blobs(), blob);
  const collections: CollectedCollection[] = [];
  for (const [number, [name, rows]] of Object.entries(tables).entries()) {
    const writer = new CollectionWriter(name, number);
    for (const row of rows) {
      writer.add(row);
      await shelf.add(writer.takeFull());
    }
    const { pieces, collection } = writer.end();
    await shelf.add(pieces);
    collections.push(collection);
  }
  await shelf.end();
  return collections;
}

function filesOf(blob: BlobRef, collections: readonly CollectedCollection[]) {
  // As another process would have it.
  const stored: readonly CollectedCollection[] = JSON.parse(JSON.stringify(collections));
  const store = blobs();
  return packageFiles({
    organization: 'acme',
    requestId: 'req_1',
    receivedAt: builtAt,
    builtAt,
    collections: stored.map((collection) => {
      const { name, columns, rows, bytes } = collection;
      return { system: 'shop', name, columns, rows, bytes, ...readCollected(store, blob, collection) };
    }),
    notIncluded: [],
  });
}

async function zipOf(options: Pick<WriteZipOptions, 'files' | 'from'>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const { bytes } of writeZip({ ...options, time: builtAt, signal: new AbortController().signal }))
    parts.push(bytes);
  return Buffer.concat(parts);
}

const orders = Array.from({ length: 12_000 }, (_, id) => ({
  id,
  note: `${id}, "again" and again `.repeat(3),
}));
const TABLES: Readonly<Record<string, Rows>> = {
  orders,
  few: [{ name: 'Zoë', at: null }],
  ragged: [{ a: 1 }, { b: '=2' }],
  none: [],
};

describe('what was collected', () => {
  it('is in the package as JSON and CSV, with hashes that fit', async () => {
    const blob = newBlob();
    const files = readZip(await zipOf({ files: filesOf(blob, await collect(blob, TABLES)) }));
    for (const [name, rows] of Object.entries(TABLES))
      expect(JSON.parse(String(files.get(`data/shop/${name}.json`)))).toEqual(rows);
    expect(String(files.get('data/shop/orders.csv')).split('\r\n')).toHaveLength(orders.length + 2);
    expect(String(files.get('data/shop/few.csv'))).toBe('name,at\r\nZoë,\r\n');
    expect(String(files.get('data/shop/ragged.csv'))).toBe("a,b\r\n1,\r\n,'=2\r\n");
    // The page shows the first rows of each.
    expect(String(files.get('index.html'))).toContain('Zoë');
    const manifest = JSON.parse(String(files.get('manifest.json')));
    expect(manifest.files).toHaveLength(9);
    for (const { path, bytes, sha256 } of manifest.files) {
      const file = files.get(path) ?? Buffer.alloc(0);
      expect([file.length, createHash('sha256').update(file).digest('hex')]).toEqual([bytes, sha256]);
    }
  });

  it('gives the same package wherever its building is interrupted', async () => {
    const blob = newBlob();
    const collections = await collect(blob, TABLES);
    const whole = await zipOf({ files: filesOf(blob, collections) });
    const options = { time: builtAt, signal: new AbortController().signal };
    let done = 0;
    let places = 0;
    for await (const step of writeZip({ ...options, files: filesOf(blob, collections) })) {
      done += step.bytes.length;
      if (step.sha256 !== undefined) break;
      const cursor = JSON.parse(JSON.stringify(step.cursor()));
      const written = JSON.parse(JSON.stringify(step.written));
      const rest = await zipOf({ files: filesOf(blob, collections), from: { cursor, written } });
      expect(rest.equals(whole.subarray(done))).toBe(true);
      places += 1;
    }
    expect(places).toBeGreaterThan(25);
  });

  it('is no package while a piece of it is gone', async () => {
    const blob = newBlob();
    const collections = await collect(blob, { orders });
    await database.pool.query(
      `delete from habeas.request_blobs where request_id = $1 and (part, position) in
        (select part, max(position) from habeas.request_blobs where request_id = $1 group by part)`,
      [blob.requestId],
    );
    await expect(zipOf({ files: filesOf(blob, collections) })).rejects.toThrow('without its last block');
  });

  it('by an older Habeas is packed as it lies', async () => {
    const blob = newBlob();
    const lines = (rows: Rows) => Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await blobs().put(
      blob,
      [
        { part: 'orders', position: 0, bytes: lines(orders.slice(0, 5_000)) },
        { part: 'orders', position: 1, bytes: lines(orders.slice(5_000)) },
      ],
      'plain',
    );
    const old = [
      { name: 'orders', columns: ['id', 'note'], rows: orders.length, bytes: lines(orders).length },
    ];
    const files = readZip(await zipOf({ files: filesOf(blob, old) }));
    const now = newBlob();
    const again = readZip(await zipOf({ files: filesOf(now, await collect(now, { orders })) }));
    for (const path of ['data/shop/orders.json', 'data/shop/orders.csv', 'index.html'])
      expect(files.get(path)?.equals(again.get(path) ?? Buffer.alloc(0))).toBe(true);
  });
});
