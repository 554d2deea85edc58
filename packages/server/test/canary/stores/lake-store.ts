import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openDuckDb } from '../../duckdb.ts';
import type { MotoServer } from '../../moto-server.ts';
import { makeBucket, S3_OPTIONS, type TestBucket } from '../../s3-bucket.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { once } from '../once.ts';
import type { MarkedPerson } from '../people.ts';
import {
  contentsOfVersions,
  eventsOf,
  exportVersions,
  ordersOf,
  type StoredVersion,
} from './object-volume.ts';

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
    contents: async () => contentsOfVersions(await versionsOf(bucket), folder),
    stop: once(async () => exportVersions(await versionsOf(bucket), folder)),
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
  // An older version without some, so that one that holds nobody who is erased has to stay.
  await bucket.put('events/date=2026-01-01/a.jsonl', eventsOf(people.slice(-3), 'first'));
  await bucket.put('events/date=2026-01-01/a.jsonl', eventsOf(people, 'before'));
  await bucket.put('events/date=2026-01-01/a.jsonl', eventsOf(people, 'login'));
  await bucket.put('events/date=2026-01-02/b.jsonl.gz', gzipSync(eventsOf(people, 'logout')));
  await bucket.put('orders/1.csv', ordersOf(people));
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
