import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type MotoServer, startMoto } from '../../../test/moto-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { makeBucket, S3_OPTIONS, type TestBucket } from '../../../test/s3-bucket.ts';
import { createSqliteFile } from '../../../test/sqlite-file.ts';
import { type Clock, fixedClock, systemClock } from '../../foundation/index.ts';
import { configureConnections } from '../configured-connections.ts';
import { loadConnectionKinds } from '../load-kinds.ts';
import { findStrays } from './find-strays.ts';

const program = requireProgram('moto_server', '--help');
const LATER = fixedClock('2100-01-01T00:00:00Z');

const LAKE = `
dataset:
  - fides_key: lake
    collections:
      - name: photos
        habeas: { on_erase: delete, objects: { key: ["photos/{file}", "old/**/{file}"] } }
        fields: &file
          - name: file
            data_categories: [user.content.photo]
            fides_meta: { references: [{ dataset: shop, field: photos.file, direction: from }] }
      - name: events
        habeas: { on_erase: delete, objects: { key: "events/**", format: json-lines } }
        fields:
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;
const SHOP = `
dataset:
  - fides_key: shop
    collections:
      - name: photos
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: owner, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: file, data_categories: [user.content.photo] }
`;

/** What is amiss between a bucket and the rows of a shop. */
async function strays(bucket: TestBucket, files: readonly string[], clock: Clock = LATER) {
  const store = createSqliteFile();
  const folder = mkdtempSync(join(tmpdir(), 'habeas-strays-'));
  try {
    const rows = files.map((file, id) => `(${id}, 'a@b.example', '${file}')`);
    store.run([
      'create table photos (id integer primary key, owner text, file text)',
      ...(rows.length > 0 ? [`insert into photos values ${rows.join(', ')}`] : []),
    ]);
    const connections = [
      { key: 'lake', kind: 's3', url: bucket.url, options: S3_OPTIONS, dataset: LAKE },
      { key: 'shop', kind: 'sqlite', url: store.file, options: {}, dataset: SHOP },
    ].map(({ dataset, options, ...one }) => {
      writeFileSync(join(folder, `${one.key}.yml`), dataset);
      const own = { team: 'media', datasets: [`${one.key}.yml`], concurrency: 1 };
      return { ...one, ...own, ...(one.kind === 's3' ? { options } : {}) };
    });
    const config = { connections, folder, file: undefined };
    const [lake, ...others] = configureConnections({
      config,
      kinds: await loadConnectionKinds(config),
      clock,
    });
    if (lake === undefined) throw new Error('There is no lake.');
    using found = await findStrays({
      store: lake,
      others,
      olderThan: 3_600_000,
      clock,
      signal: AbortSignal.timeout(60_000),
    });
    return {
      report: found.report,
      strays: [...found.strays()].map(({ name }) => name),
      dangling: [...found.dangling()].map(({ values }) => values.file),
    };
  } finally {
    store.remove();
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(program === undefined)('strays in a bucket', () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await startMoto();
    return () => moto[Symbol.asyncDispose]();
  });

  test('are objects that no row names, and rows without an object dangle', async () => {
    const bucket = await makeBucket(moto);
    for (const key of [
      'photos/here.jpg',
      'photos/left ü&+.jpg',
      'old/2024/01/here.jpg',
      'old/left.jpg',
      'other/no.jpg',
      'photos/deeper/no.jpg',
    ])
      await bucket.put(key, 'a picture');
    await bucket.put('events/1.jsonl', '{"user_id":7}\n');
    const found = await strays(bucket, ['here.jpg', 'gone.jpg']);
    expect(found.report).toEqual({
      connection: 'lake',
      kind: 's3',
      collections: [{ collection: 'photos', things: 4, strays: 2, young: 0 }],
      rows: [{ connection: 'shop', collection: 'photos', fields: ['file'], values: 2, dangling: 1 }],
      problems: [],
      remarks: [],
    });
    expect(found.strays).toEqual(['old/left.jpg', Buffer.from('photos/left ü&+.jpg').toString('latin1')]);
    expect(found.dangling).toEqual(['gone.jpg']);
  });

  test('are old versions, too: a row that only these are left for dangles', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    for (const key of ['photos/kept.jpg', 'photos/deleted.jpg', 'photos/stray.jpg', 'photos/again.jpg'])
      await bucket.put(key, 'a picture');
    await bucket.put('photos/kept.jpg', 'another picture');
    for (const key of ['photos/deleted.jpg', 'photos/stray.jpg', 'photos/again.jpg'])
      await bucket.remove(key);
    await bucket.put('photos/again.jpg', 'put back');
    const found = await strays(bucket, ['kept.jpg', 'deleted.jpg', 'again.jpg']);
    expect(found.strays).toEqual(['photos/stray.jpg']);
    expect(found.dangling).toEqual(['deleted.jpg']);
    expect(found.report.collections).toEqual([{ collection: 'photos', things: 4, strays: 1, young: 0 }]);
  });

  test('are none while they are young', async () => {
    const bucket = await makeBucket(moto);
    await bucket.put('photos/new.jpg', 'a picture');
    const found = await strays(bucket, [], systemClock);
    expect(found.report.collections).toEqual([{ collection: 'photos', things: 1, strays: 0, young: 1 }]);
  });

  test('are looked for over all pages of a listing', async () => {
    const bucket = await makeBucket(moto);
    const files = Array.from({ length: 1_003 }, (_, number) => `${number}.jpg`);
    for (let from = 0; from < files.length; from += 50)
      await Promise.all(files.slice(from, from + 50).map((file) => bucket.put(`photos/${file}`, '')));
    const found = await strays(bucket, [...files.slice(3), 'gone.jpg']);
    expect(found.strays).toEqual(files.slice(0, 3).map((file) => `photos/${file}`));
    expect(found.dangling).toEqual(['gone.jpg']);
  });

  test('are not told where the bucket does not answer: nothing is called a stray or dangling', async () => {
    const bucket = await makeBucket(moto);
    const gone = { ...bucket, url: `${moto.url}/no-such-bucket` };
    const { report, strays: found, dangling } = await strays(gone, ['here.jpg']);
    expect([found, dangling]).toEqual([[], []]);
    expect(report.collections).toEqual([
      { collection: 'photos', things: 0, strays: undefined, young: undefined },
    ]);
    expect(report.rows[0]?.dangling).toBeUndefined();
    expect(report.problems[0]?.message).toContain('lake could not be looked through');
  });
});
