import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DuckDb, openDuckDb } from '../../../test/duckdb.ts';
import {
  bytesSource,
  everythingIn,
  groupBytes,
  openFile,
  readParquet,
  rewriteInto,
  searchBy,
} from '../../../test/parquet-files.ts';
import { COLUMN } from './footer.ts';
import { readPages } from './page.ts';
import { parquetFormat } from './parquet-format.ts';

let duckdb: DuckDb;
const folder = mkdtempSync(join(tmpdir(), 'habeas-parquet-'));

beforeAll(async () => {
  duckdb = await openDuckDb();
  await duckdb.run("create type mood as enum ('glad', 'sad', 'none')");
  await duckdb.run(`create table people as select
    i::integer as id,
    'person' || i || '@mail.example' as email,
    'secret-of-' || i as secret,
    ['Berlin', 'Paris', 'Oslo', 'Rome'][1 + i % 4] as city,
    case when i % 3 = 0 then null else 'note-by-' || i end as note,
    case when i % 5 = 0 then null else i % 2 = 0 end as agreed,
    (i * 1000000007)::bigint as big, (i % 200)::utinyint as small, (i * 12345678901)::ubigint as huge,
    (i / 7)::double as ratio, (i / 3)::float as share,
    (i / 100)::decimal(9, 2) as price, (i * 1000 / 7)::decimal(18, 4) as sum, (i * 123456789)::decimal(38, 10) as wide,
    date '2026-01-01' + i::integer as day, timestamp '2026-01-01' + to_seconds(i * 61) as moment,
    timestamptz '2026-01-01 00:00:00Z' + to_seconds(i) as zoned, time '00:00:01' + to_seconds(i) as clock,
    md5(i::varchar)::uuid as token, ('\\x00\\xff' || chr((65 + i % 26)::integer))::blob as bytes,
    (['glad', 'sad', 'none'][1 + i % 3])::mood as mood,
    to_days(i::integer) as span,
    case when i % 4 = 0 then null when i % 4 = 1 then [] else ['tag-' || i, null, 'all'] end as tags,
    case when i % 6 = 0 then null else { 'street': 'street-' || i, 'zip': case when i % 2 = 0 then null else i::integer end } end as home,
    case when i % 7 = 0 then null else [{ 'at': i::integer, 'lines': ['line-' || i, 'x'] }, { 'at': null, 'lines': null }] end as orders,
    case when i % 8 = 0 then null else map { 'key-' || i: i::integer, 'other': null } end as facts,
    null::integer as nothing
    from range(8000) t(i)`);
});

afterAll(async () => {
  await duckdb[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);

/** People in the first and in the third row group of 1024 rows, some side by side, one at an end. */
const PEOPLE = [0, 1, 2, 19, 1_000, 4_100, 4_101, 6_143];
const emails = PEOPLE.map((id) => `person${id}@mail.example`);
const isOne = (ids: readonly number[]) => `id in (${ids.join(', ')})`;

async function expectSameRows(file: string, where: string): Promise<void> {
  const got = await duckdb.rows(`select * from '${file}'`);
  const want = await duckdb.rows(`select * from people where ${where} order by id`);
  expect(got).toEqual(want);
}

describe.each([
  ['snappy', 'V1'],
  ['zstd', 'V1'],
  ['gzip', 'V1'],
  ['uncompressed', 'V2'],
  ['brotli', 'V1'],
])('files of DuckDB, packed by %s, version %s', (codec, version) => {
  const file = at(`${codec}.parquet`);
  const erased = at(`${codec}-erased.parquet`);

  beforeAll(async () => {
    await duckdb.run(
      `copy (from people order by id) to '${file}' (format parquet, codec '${codec}', parquet_version ${version}, row_group_size 2048)`,
    );
    const rewritten = await rewriteInto(erased, { from: file, search: searchBy(['email'], emails) });
    expect(rewritten.rows).toBe(PEOPLE.length);
    expect([...rewritten.of.values()]).toEqual(PEOPLE.map(() => 1));
  });

  test('exactly the rows of the others are left, in their order', async () => {
    await expectSameRows(erased, `not ${isOne(PEOPLE)}`);
  });

  test('row groups without anybody are the same bytes, and the schema is the same', async () => {
    const [before, after] = [await readParquet(file), await readParquet(erased)];
    expect(after.footer.leaves).toEqual(before.footer.leaves);
    expect(after.footer.rowGroups.map(({ rows }) => rows)).toEqual([2_043, 2_048, 2_045, 1_856]);
    for (const number of [1, 3]) {
      const [was, is] = [before.footer.rowGroups[number], after.footer.rowGroups[number]];
      if (was === undefined || is === undefined) throw new Error('A row group is missing.');
      expect((await groupBytes(after, is)).equals(await groupBytes(before, was))).toBe(true);
    }
    const codecs = ({ footer }: typeof before) =>
      footer.rowGroups.map(({ chunks }) => chunks.map(({ metadata }) => metadata.int(COLUMN.codec)));
    expect(codecs(after)).toEqual(codecs(before));
  });

  test('nothing that only they had is left in pages, dictionaries, statistics and indexes', async () => {
    const [before, after] = [await everythingIn(file), await everythingIn(erased)];
    for (const id of PEOPLE) {
      for (const [text, end] of [
        [`person${id}`, '@mail.example'],
        [`street-${id}`, ''],
      ] as const) {
        // Street 0 is none, and street-1 is how street-10 begins.
        const [was = 0, is = 0] = [before, after].map((bytes) => occurrences(bytes, text + end));
        if (end !== '') expect([text, was > 0, is]).toEqual([text, true, 0]);
        else if (id >= 1_000 && id % 6 !== 0) expect([text, was > 0, is]).toEqual([text, true, 0]);
      }
    }
  });

  test('what DuckDB tells of statistics fits the rows that are left', async () => {
    const told = await duckdb.rows(
      `select row_group_id as grp, stats_min_value as least, stats_max_value as greatest, stats_null_count::integer as nulls
       from parquet_metadata('${erased}') where path_in_schema in ('email', 'id') and row_group_id in (0, 2) order by 1, path_in_schema`,
    );
    const found = await duckdb.rows(
      `select min(email) as e1, max(email) as e2, min(id)::varchar as i1, max(id)::varchar as i2 from people
       where not ${isOne(PEOPLE)} and id // 2048 in (0, 2) group by id // 2048 order by id // 2048`,
    );
    expect(told.map(({ least, greatest, nulls }) => [least, greatest, nulls])).toEqual(
      found.flatMap(({ e1, e2, i1, i2 }) => [
        [e1, e2, 0],
        [i1, i2, 0],
      ]),
    );
  });

  test('filters exclude as before, and none is lost where nothing of its column was', async () => {
    const probed = async (path: string, column: string, value: string) =>
      (
        await duckdb.rows(
          `select bloom_filter_excludes from parquet_bloom_probe('${path}', '${column}', ${value})`,
        )
      ).map(({ bloom_filter_excludes: excludes }) => excludes);
    // Filters of row groups that were changed are gone where a value is; the others still exclude.
    expect(await probed(erased, 'city', "'Madrid'")).toEqual(await probed(file, 'city', "'Madrid'"));
    const blooms = async (path: string) => {
      const { footer } = await readParquet(path);
      const leaf = footer.leaves.findIndex(({ path: [name] }) => name === 'city');
      return footer.rowGroups.map(({ chunks }) => chunks[leaf]?.metadata.has(COLUMN.bloomOffset));
    };
    expect(await blooms(erased)).toEqual(await blooms(file));
  });

  test('rows are found with all of what is in them', async () => {
    const opened = await openFile(file, searchBy(['email'], emails));
    const found = [];
    for await (const row of opened.find({ content: true })) found.push(row);
    expect(found.map(({ whose }) => [...whose])).toEqual(PEOPLE.map((_, person) => [person]));
    const [first] = found.filter(({ content }) => content?.id === 19);
    expect(first?.content).toEqual({
      id: 19,
      email: 'person19@mail.example',
      secret: 'secret-of-19',
      city: 'Rome',
      note: 'note-by-19',
      agreed: false,
      big: 19_000_000_133,
      small: 19,
      huge: 234567899119,
      ratio: 19 / 7,
      share: Math.fround(19 / 3),
      price: '0.19',
      sum: '2714.2857',
      wide: '2345678991.0000000000',
      day: '2026-01-20',
      moment: '2026-01-01T00:19:19.000000Z',
      zoned: '2026-01-01T00:00:19.000000Z',
      clock: '00:00:20.000000',
      token: '1f0e3dad-9990-8345-f743-9f8ffabdffc4',
      bytes: first?.content?.bytes,
      mood: 'sad',
      span: first?.content?.span,
      tags: ['tag-19', null, 'all'],
      home: { street: 'street-19', zip: 19 },
      orders: [
        { at: 19, lines: ['line-19', 'x'] },
        { at: null, lines: null },
      ],
      facts: [
        { key: 'key-19', value: 19 },
        { key: 'other', value: null },
      ],
      nothing: null,
    });
  });

  test('a row group whose rows all go is gone', async () => {
    const into = at(`${codec}-all.parquet`);
    const all = Array.from({ length: 2_048 }, (_, id) => String(2_048 + id));
    await rewriteInto(into, { from: file, search: searchBy(['id'], all) });
    await expectSameRows(into, 'id // 2048 <> 1');
    expect((await readParquet(into)).footer.rowGroups.map(({ rows }) => rows)).toEqual([2_048, 2_048, 1_856]);
  });

  test('a file whose rows all go is an empty one', async () => {
    const into = at(`${codec}-none.parquet`);
    await rewriteInto(into, { from: file, search: searchBy(['mood'], ['glad', 'sad', 'none']) });
    expect(await duckdb.rows(`select count(*)::integer as n from '${into}'`)).toEqual([{ n: 0 }]);
  });

  test('values of people are masked, and all others stay', async () => {
    const into = at(`${codec}-masked.parquet`);
    const masks: Record<string, (value: unknown) => string | null> = {
      email: () => 'gone@example.com',
      city: () => 'Somewhere',
      secret: () => null,
      id: () => '-1',
      note: (value) => `masked ${String(value).length}`,
      'home.street': () => 'a street',
      'orders.lines': () => null,
      tags: () => 'a tag',
      agreed: () => 'true',
      moment: () => null,
      token: () => '00000000-0000-0000-0000-000000000000',
    };
    const columns = Object.entries(masks).map(([path, mask]) => ({ path: path.split('.'), mask }));
    await rewriteInto(into, {
      from: file,
      search: searchBy(['email'], emails),
      change: { kind: 'mask', columns },
    });
    const got = await duckdb.rows(`select * from '${into}'`);
    const want = await duckdb.rows(`select * exclude (gone, n) replace (
      if(gone, 'gone@example.com', email) as email, if(gone, 'Somewhere', city) as city, if(gone, null, secret) as secret,
      if(gone, -1, id) as id, if(gone and note is not null, 'masked ' || length(note), note) as note,
      if(gone and home is not null, { 'street': 'a street', 'zip': home.zip }, home) as home,
      if(gone and orders is not null, [{ 'at': orders[1].at, 'lines': [null, null] }, { 'at': null, 'lines': null }], orders) as orders,
      if(gone and len(tags) > 0, ['a tag', null, 'a tag'], tags) as tags,
      if(gone and agreed is not null, true, agreed) as agreed, if(gone, null, moment) as moment,
      if(gone, '00000000-0000-0000-0000-000000000000'::uuid, token) as token)
      from (select *, ${isOne(PEOPLE)} as gone, id as n from people) order by n`);
    expect(got).toEqual(want);
    const left = await everythingIn(into);
    for (const email of emails) expect(occurrences(left, email)).toBe(0);
  });
});

describe.each(['V1', 'V2'])('columns of version %s', (version) => {
  beforeAll(() =>
    duckdb.run(
      `copy (from people order by id) to '${at(`all-${version}.parquet`)}' (format parquet, parquet_version ${version}, row_group_size 4096)`,
    ),
  );

  test.each([
    ['a struct', ['home', 'street'], 'street-1003', 1_003],
    ['a list', ['tags'], 'tag-1003', 1_003],
    ['a list of structs', ['orders', 'at'], '1003', 1_003],
    ['a list in a list', ['orders', 'lines'], 'line-1003', 1_003],
    ['a whole number', ['huge'], '12382715937703', 1_003],
    ['a decimal', ['price'], '10.03', 1_003],
    ['a UUID', ['token'], 'aa68c75c-4a77-c87f-97fb-686b2f068676', 1_003],
  ])('people are found by %s', async (_, path, value, id) => {
    const into = at(`by-${version}.parquet`);
    const rewritten = await rewriteInto(into, {
      from: at(`all-${version}.parquet`),
      search: searchBy(path, [value]),
    });
    expect(rewritten.rows).toBe(1);
    await expectSameRows(into, `id <> ${id}`);
  });
});

function occurrences(bytes: Buffer, text: string): number {
  let count = 0;
  for (let found = bytes.indexOf(text); found >= 0; found = bytes.indexOf(text, found + 1)) count += 1;
  return count;
}

describe('what cannot be read', () => {
  const open = (bytes: Buffer) =>
    parquetFormat.open(bytesSource(bytes), {
      search: searchBy(['email'], emails),
      signal: new AbortController().signal,
    });
  let whole: Buffer;

  beforeAll(async () => {
    const file = at('whole.parquet');
    await duckdb.run(
      `copy (from people where id < 1500 order by id) to '${file}' (format parquet, codec 'zstd')`,
    );
    whole = readFileSync(file);
  });

  test.each([
    ['a file of another format', () => Buffer.from('id,email\n1,ann@example.com\n')],
    ['an empty file', () => Buffer.alloc(0)],
    ['a file that was cut off', () => whole.subarray(0, whole.length - 100)],
    ['a footer that says that it is longer than the file', () => withBytes(whole, -8, [255, 255, 255, 127])],
    ['a footer that says that it is shorter', () => withBytes(whole, -8, [9, 0, 0, 0])],
    [
      'a file of which the middle is missing',
      () => Buffer.concat([whole.subarray(0, 4), whole.subarray(-5_000)]),
    ],
  ])('%s is refused', async (_, bytes) => {
    await expect(open(bytes())).rejects.toMatchObject({ code: 'SYSTEM_FAILED', retryable: false });
  });

  test('an encrypted file is refused by that name', async () => {
    await expect(open(withBytes(whole, -4, [...Buffer.from('PARE')]))).rejects.toThrow(/encrypted/);
  });

  test('a file without any of the columns is no match for the dataset', async () => {
    const opened = parquetFormat.open(bytesSource(whole), {
      search: searchBy(['login'], ['x']),
      signal: new AbortController().signal,
    });
    await expect(opened).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
  });

  test.each([
    ['the header of a page', (_: number) => 0],
    ['the beginning of what is packed', (head: number) => head],
  ])('damage in %s is found, in whatever column it is', async (_, placeOf) => {
    const { footer, source } = await readParquet(at('whole.parquet'));
    for (const chunk of footer.rowGroups[0]?.chunks ?? []) {
      const { value: page } = await readPages(source, chunk).next();
      const place = chunk.offset + placeOf(page?.head.length ?? 0);
      const file = await open(withBytes(whole, place, new Array(8).fill(255)));
      const rewriting = file.rewrite({ kind: 'drop' }, async () => undefined);
      await expect(rewriting, chunk.leaf.path.join('.')).rejects.toMatchObject({ code: 'SYSTEM_FAILED' });
    }
  });
});

test.each(['v1', 'v2'])(
  'telephone numbers are found however they are written, version %s',
  async (version) => {
    const [file, erased] = [at(`telephones-${version}.parquet`), at(`telephones-${version}-erased.parquet`)];
    const theirs = [5, 2_100, 2_101, 7_999];
    await duckdb.run(`copy (
    select id, case id when 5 then '0044 20 7946' when 2100 then '+44 (0)20-7946' when 2101 then '(+44)20/79.46' when 7999 then '+44207946'
      else '+44 30 ' || id end as tel
    from people order by id) to '${file}' (format parquet, parquet_version ${version}, row_group_size 2048)`);
    const search = searchBy(['tel'], ['+44 20 7946'], { spelling: 'telephone' });
    const { rows } = await rewriteInto(erased, { from: file, search });
    expect(rows).toBe(theirs.length);
    expect(await duckdb.rows(`select id from '${erased}' order by id`)).toEqual(
      await duckdb.rows(`select id from people where not ${isOne(theirs)} order by id`),
    );
  },
);

function withBytes(bytes: Buffer, place: number, values: readonly number[]): Buffer {
  const changed = Buffer.from(bytes);
  changed.set(values, place < 0 ? bytes.length + place : place);
  return changed;
}
