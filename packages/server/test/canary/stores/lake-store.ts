import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDuckDb } from '../../duckdb.ts';
import type { MotoServer } from '../../moto-server.ts';
import { makeBucket, S3_OPTIONS, type TestBucket } from '../../s3-bucket.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import type { MarkedPerson } from '../people.ts';
import { putRows, type StoredVersion, storeOfObjects } from './object-volume.ts';

const PROFILES = `
      - name: profiles
        habeas: { on_erase: delete, objects: { key: "profiles/*.parquet", format: parquet } }
        fields: *user
`;

const { signal } = new AbortController();

/** Whole objects, and rows in all formats, in a bucket that keeps versions. */
export async function openLakeStore({
  folder,
  people,
  moto,
}: StoreOptions & { readonly moto: MotoServer }): Promise<CanaryStore> {
  const bucket = await makeBucket(moto, { versioning: true });
  await fill(bucket, people, folder);
  return storeOfObjects({
    key: 'lake',
    connection: { kind: 's3', url: bucket.url, options: S3_OPTIONS },
    collections: PROFILES,
    folder,
    versions: () => versionsOf(bucket),
  });
}

async function fill(bucket: TestBucket, people: readonly MarkedPerson[], folder: string): Promise<void> {
  for (const { number, userId, mark } of people) {
    // Some have an older one, and metadata and tags.
    const isOld = number % 4 === 3;
    if (isOld) await bucket.put(`avatars/${userId}.png`, `an old picture of ${mark}`);
    const about = { 'x-amz-meta-of': mark, 'x-amz-tagging': `of=${encodeURIComponent(mark)}` };
    await bucket.put(`avatars/${userId}.png`, `a picture of ${mark}`, isOld ? about : {});
  }
  // What is put again becomes an older version.
  await putRows(bucket.put, people, async () => undefined);
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
