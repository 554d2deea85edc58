import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { openDuckDb } from '../duckdb.ts';
import { createMarkFinder } from './find-marks.ts';
import { makePeople } from './people.ts';
import { unexplained } from './unexplained.ts';
import { marksIn } from './volumes.ts';

const people = makePeople(3);
const [ann = people[0], bob = people[1]] = people;
const find = createMarkFinder(people);

function makeVolume(): string {
  const volume = mkdtempSync(join(tmpdir(), 'habeas-volume-'));
  onTestFinished(() => rmSync(volume, { recursive: true }));
  return volume;
}

test('a leak that was planted is found, wherever it is and however it is packed', async () => {
  const volume = makeVolume();
  mkdirSync(join(volume, 'thumbs'));
  const mark = ann?.mark ?? '';
  const plant = (name: string, bytes: Buffer | string) => writeFileSync(join(volume, name), bytes);
  plant('nothing.txt', `${mark.slice(0, 10)} nobody`);
  plant(`thumbs/${ann?.userId}_64.jpg`, 'a picture');
  plant('access.log.1.gz', gzipSync(`someone\nuser=${mark}\n`));
  plant('access.log.2.zst', zstdCompressSync(`someone\nuser=${mark}\n`));
  plant('page', Buffer.concat([Buffer.alloc(8_000), Buffer.from(mark), Buffer.alloc(100)]));
  plant('token', Buffer.from(`{"sub":"${mark}"}`).toString('base64url'));
  await using duckdb = await openDuckDb();
  for (const codec of ['zstd', 'uncompressed'])
    await duckdb.run(
      `copy (select '${mark}' as id, i from range(100) t(i)) to '${join(volume, `${codec}.parquet`)}' (format parquet, codec '${codec}')`,
    );
  const marks = await marksIn(volume, find);
  expect(new Set(marks.map(({ path }) => path))).toEqual(
    new Set([
      `/thumbs/${ann?.userId}_64.jpg`,
      '/access.log.1.gz',
      '/access.log.2.zst',
      '/page',
      '/token',
      '/zstd.parquet',
      '/uncompressed.parquet',
    ]),
  );
  expect(new Set(marks.map(({ person }) => person))).toEqual(new Set([ann]));
});

test('a mark is explained by a residual of its person’s receipt that names the copy, with an end, and by nothing else', async () => {
  const volume = makeVolume();
  mkdirSync(join(volume, 'wal'));
  for (const person of [ann, bob])
    writeFileSync(join(volume, 'wal', `${person?.number}`), person?.mark ?? '');
  writeFileSync(join(volume, 'table'), ann?.mark ?? '');
  const marks = await marksIn(volume, find);
  const copies = [{ path: /^\/wal\//, copy: 'write-ahead-log' }];
  const wal = { what: 'The log', copy: 'write-ahead-log' };
  const placesWith = (until: string | null, copy = wal) =>
    unexplained(marks, {
      copies,
      residualsOf: (person) => (person === ann ? [{ ...copy, until }] : []),
    });
  const table = '/table: plain, 2 times';
  const others = '/wal/1: plain, 2 times';
  expect(placesWith('2030-01-01')).toEqual([table, others]);
  expect(placesWith(null)).toEqual([table, '/wal/0: plain, named without an end, 2 times', others]);
  expect(placesWith('2030-01-01', { ...wal, copy: 'archive' })).toContain('/wal/0: plain, 2 times');
});
