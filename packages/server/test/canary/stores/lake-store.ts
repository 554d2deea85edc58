import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openDuckDb } from '../../duckdb.ts';
import type { MotoServer } from '../../moto-server.ts';
import { makeBucket, S3_OPTIONS, type TestBucket } from '../../s3-bucket.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { once } from '../once.ts';
import type { MarkedPerson } from '../people.ts';
import { unpacked } from '../volumes.ts';

/** Whole objects, and rows in all formats, in a bucket that keeps versions. */
const DATASET = `
dataset:
  - fides_key: lake
    collections:
      - name: avatars
        habeas: { on_erase: delete, objects: { key: "avatars/{user_id}.*" } }
        fields: &user
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
      - name: events
        habeas: { on_erase: delete, objects: { key: "events/date=*/**", format: json-lines } }
        fields:
          - { name: user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: orders
        habeas: { on_erase: delete, objects: { key: "orders/*.csv", format: csv } }
        fields: *user
      - name: profiles
        habeas: { on_erase: delete, objects: { key: "profiles/*.parquet", format: parquet } }
        fields: *user
`;

const { signal } = new AbortController();

export async function openLakeStore({
  folder,
  people,
  moto,
}: StoreOptions & { readonly moto: MotoServer }): Promise<CanaryStore> {
  const bucket = await makeBucket(moto, { versioning: true });
  await fill(bucket, people, folder);
  return {
    key: 'lake',
    connection: { kind: 's3', url: bucket.url, options: S3_OPTIONS },
    dataset: DATASET,
    contents: () => contentsOf(bucket, folder),
    stop: once(async () => {
      const volume = join(folder, 'export');
      mkdirSync(volume);
      for (const [number, { key, about, bytes }] of (await versionsOf(bucket)).entries()) {
        writeFileSync(join(volume, `${number}.about`), `${key}\n${about}`);
        writeFileSync(join(volume, `${number}.object`), bytes);
      }
      return volume;
    }),
    copies: [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function fill(bucket: TestBucket, people: readonly MarkedPerson[], folder: string): Promise<void> {
  for (const { number, userId, mark } of people) {
    // Some have an older one, and metadata and tags.
    const isOld = number % 4 === 3;
    if (isOld) await bucket.put(`avatars/${userId}.png`, `an old picture of ${mark}`);
    const about = { 'x-amz-meta-of': mark, 'x-amz-tagging': `of=${encodeURIComponent(mark)}` };
    await bucket.put(`avatars/${userId}.png`, `a picture of ${mark}`, isOld ? about : {});
  }
  const lines = (some: readonly MarkedPerson[], what: string) =>
    some
      .map(
        ({ userId, email, mark }) =>
          `${JSON.stringify({ user: { id: userId }, email, what: `${what} ${mark}` })}\n`,
      )
      .join('');
  // An older version without some, so that one that holds nobody who is erased has to stay.
  await bucket.put('events/date=2026-01-01/a.jsonl', lines(people.slice(-3), 'first'));
  await bucket.put('events/date=2026-01-01/a.jsonl', lines(people, 'before'));
  await bucket.put('events/date=2026-01-01/a.jsonl', lines(people, 'login'));
  await bucket.put('events/date=2026-01-02/b.jsonl.gz', gzipSync(lines(people, 'logout')));
  const orders = people.map(({ userId, mark }) => `${userId},"for ""${mark}""\nat night"\r\n`).join('');
  await bucket.put('orders/1.csv', `user_id,what\r\n${orders}`);
  await using duckdb = await openDuckDb();
  const table = join(folder, 'people.json');
  writeFileSync(
    table,
    people.map(({ userId, mark }) => JSON.stringify({ user_id: userId, about: `I am ${mark}` })).join('\n'),
  );
  for (const codec of ['uncompressed', 'snappy', 'zstd']) {
    const file = join(folder, `${codec}.parquet`);
    await duckdb.run(
      `copy (select user_id, about, [about, 'all'] as tags from read_json('${table}'), range(3))
       to '${file}' (format parquet, codec '${codec}', row_group_size 2048)`,
    );
    await bucket.put(`profiles/${codec}.parquet`, readFileSync(file));
  }
}

interface StoredVersion {
  readonly key: string;
  readonly isLatest: boolean;
  /** Metadata and tags. */
  readonly about: string;
  readonly bytes: Buffer;
}

async function versionsOf(bucket: TestBucket): Promise<readonly StoredVersion[]> {
  const all: StoredVersion[] = [];
  const store = bucket.store();
  for await (const { key, isLatest, isMarker, id } of store.versions('', signal)) {
    const what = 'look at what is left';
    const query = { versionId: id };
    if (isMarker) {
      all.push({ key, isLatest, about: 'a delete marker', bytes: Buffer.alloc(0) });
      continue;
    }
    const reply = await bucket.call({ method: 'GET', what, key, query, signal });
    const isTagged = reply.headers['x-amz-tagging-count'] !== undefined;
    const tags = isTagged
      ? (await bucket.call({ method: 'GET', what, key, query: { ...query, tagging: '' }, signal })).body
      : '';
    const metadata = Object.entries(reply.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
    all.push({
      key,
      isLatest,
      about: `${JSON.stringify(metadata)}\n${tags}`,
      bytes: reply.body,
    });
  }
  store.close();
  return all;
}

async function contentsOf(bucket: TestBucket, folder: string): Promise<ReadonlyMap<string, string>> {
  await using duckdb = await openDuckDb();
  const all = new Map<string, string>();
  for (const { key, isLatest, about, bytes } of await versionsOf(bucket)) {
    const text = unpacked(bytes).toString('latin1');
    if (!isLatest || key.startsWith('avatars/')) all.set(`${key} ${isLatest} ${about} ${text}`, text);
    else if (key.endsWith('.parquet')) {
      const file = join(folder, 'read.parquet');
      writeFileSync(file, bytes);
      const rows = await duckdb.rows(`select * from '${file}'`);
      // Each row is there more than once.
      const seen = Map.groupBy(rows, (row) => JSON.stringify(row));
      for (const [row, same] of seen) all.set(`${key} ${row} ${same.length}`, row);
    } else for (const row of text.split(key.endsWith('.csv') ? '\r\n' : '\n')) all.set(`${key} ${row}`, row);
  }
  return all;
}
