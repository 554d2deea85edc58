import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DuckDb, openDuckDb } from '../../../test/duckdb.ts';
import { everythingIn, readParquet, rewriteInto, searchBy } from '../../../test/parquet-files.ts';
import { type Pyarrow, type Shape, startPyarrow, type WrittenFile } from '../../../test/pyarrow.ts';
import { requirePyarrow } from '../../../test/requirements.ts';
import { CHUNK, COLUMN } from './footer.ts';

const python = requirePyarrow();
const folder = mkdtempSync(join(tmpdir(), 'habeas-pyarrow-'));
const [file, erased] = [join(folder, 'old.parquet'), join(folder, 'new.parquet')] as const;
let pyarrow: Pyarrow;
let duckdb: DuckDb;

beforeAll(async () => {
  if (python === undefined) return;
  pyarrow = startPyarrow(python);
  duckdb = await openDuckDb();
});

afterAll(async () => {
  await pyarrow?.[Symbol.asyncDispose]();
  await duckdb?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const emailOf = (person: number) => `person${person}@mail.example`;

/** Erases people; gives what pyarrow and DuckDB say is wrong with what is left. Undefined: pyarrow cannot read what it wrote. */
async function eraseFrom(written: Omit<WrittenFile, 'path'>, people: readonly number[]): Promise<unknown> {
  if (!(await pyarrow.write({ ...written, path: file }))) return undefined;
  const gone = people.map(emailOf);
  await rewriteInto(erased, { from: file, search: searchBy(['who'], gone) });
  const { wrong } = await pyarrow.compare({ old: file, new: erased, gone });
  const kept = `select * from '${file}' where not coalesce(who in (${gone.map((one) => `'${one}'`).join(', ') || 'null'}), false)`;
  const summed = (rows: string) =>
    duckdb.rows(
      `select count(*)::integer as n, md5(string_agg(r::varchar, chr(10) order by place)) as h
       from (select r, row_number() over () as place from (${rows}) r)`,
    );
  const [got, want] = [await summed(`select * from '${erased}'`), await summed(kept)];
  const left = await everythingIn(erased);
  return {
    wrong,
    duckdb: JSON.stringify(got) === JSON.stringify(want) ? [] : [got, want],
    named: gone.filter((one) => left.includes(one)),
  };
}

const NOTHING_WRONG = { wrong: [], duckdb: [], named: [] };

const leaf = (kind: string, more: object = {}): Shape => ({ kind, nullable: true, ...more });
const ALL: readonly Shape[] = [
  ...['bool_', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'].map((one) =>
    leaf(one),
  ),
  ...['float32', 'float64', 'string', 'large_string', 'binary', 'date32', 'dictionary'].map((one) =>
    leaf(one),
  ),
  leaf('fixed', { width: 7 }),
  leaf('decimal', { precision: 9, scale: 2 }),
  leaf('decimal', { precision: 18, scale: 0 }),
  leaf('decimal', { precision: 38, scale: 10 }),
  leaf('timestamp', { unit: 'ms', zone: null }),
  leaf('timestamp', { unit: 'us', zone: 'UTC' }),
  leaf('timestamp', { unit: 'ns', zone: null }),
  leaf('list', { of: leaf('string') }),
  leaf('list', { of: leaf('list', { of: leaf('int32') }) }),
  leaf('struct', { of: [leaf('string'), leaf('decimal', { precision: 30, scale: 3 })] }),
  leaf('list', { of: leaf('struct', { of: [leaf('int64'), leaf('list', { of: leaf('float64') })] }) }),
  leaf('map', { of: leaf('timestamp', { unit: 'us', zone: null }) }),
];

const PEOPLE = [0, 3, 7, 19];
const written = { columns: ALL, rows: 3_000, people: 60, seed: 7 };

describe.skipIf(python === undefined)('files of pyarrow', () => {
  test.each([
    ['snappy', {}],
    ['gzip', {}],
    ['zstd', {}],
    ['brotli', {}],
    ['none', {}],
    ['snappy, data pages of version 2', { data_page_version: '2.0' }],
    ['zstd, data pages of version 2', { data_page_version: '2.0' }],
    ['snappy, no dictionaries', { use_dictionary: false }],
    ['zstd, small pages with checksums', { data_page_size: 500, write_page_checksum: true }],
    ['snappy, dictionaries that end early', { dictionary_pagesize_limit: 200 }],
    ['snappy, an index of pages', { write_page_index: true, data_page_size: 1_000 }],
    ['gzip, no statistics', { write_statistics: false }],
    ['snappy, the format of 2013', { version: '1.0' }],
    ['zstd, old timestamps', { use_deprecated_int96_timestamps: true }],
    ['snappy, decimals as whole numbers', { store_decimal_as_integer: true }],
  ])('%s: pyarrow and DuckDB read exactly the rows of the others', async (name, options) => {
    const compression = /^\w+/.exec(name)?.[0];
    const file = { ...written, options: { row_group_size: 1_000, compression, ...options } };
    expect(await eraseFrom(file, PEOPLE)).toEqual(NOTHING_WRONG);
  });

  const numbers = { data_page_size: 2_000, use_dictionary: false, row_group_size: 1_000 };
  test.each([
    ['DELTA_BINARY_PACKED', [leaf('int32'), leaf('int64'), leaf('uint32'), leaf('date32')]],
    ['DELTA_LENGTH_BYTE_ARRAY', [leaf('string'), leaf('binary')]],
    ['DELTA_BYTE_ARRAY', [leaf('string'), leaf('binary'), leaf('fixed', { width: 5 })]],
    [
      'BYTE_STREAM_SPLIT',
      // DuckDB reads no others in it.
      [leaf('float32'), leaf('float64')],
    ],
    ['RLE', [leaf('bool_')]],
  ])('values in the encoding %s', async (encoding, columns) => {
    const column_encoding = Object.fromEntries(columns.map((_, at) => [`c${at}`, encoding]));
    const options = { ...numbers, column_encoding, data_page_version: encoding === 'RLE' ? '2.0' : '1.0' };
    expect(await eraseFrom({ ...written, columns, options }, PEOPLE)).toEqual(NOTHING_WRONG);
  });

  test('values that DuckDB does not read in BYTE_STREAM_SPLIT', async () => {
    const columns = [leaf('int32'), leaf('int64'), leaf('fixed', { width: 6 }), leaf('float32')];
    const column_encoding = Object.fromEntries(columns.map((_, at) => [`c${at}`, 'BYTE_STREAM_SPLIT']));
    await pyarrow.write({ ...written, path: file, columns, options: { ...numbers, column_encoding } });
    const gone = PEOPLE.map(emailOf);
    await rewriteInto(erased, { from: file, search: searchBy(['who'], gone) });
    expect((await pyarrow.compare({ old: file, new: erased, gone })).wrong).toEqual([]);
  });

  test('Bloom filters of columns that changed are gone, and those of others stay', async () => {
    const bloom = { ndv: 1_000, fpp: 0.01 };
    const options = { row_group_size: 1_500, bloom_filter_options: { who: bloom, c0: bloom } };
    const columns = [leaf('string')];
    await pyarrow.write({ ...written, path: file, columns, rows: 1_500, people: 5, options });
    const has = async (path: string) =>
      (await readParquet(path)).footer.rowGroups[0]?.chunks.map(({ metadata }) =>
        metadata.has(COLUMN.bloomOffset),
      );
    expect(await has(file)).toEqual([true, true]);
    expect(await eraseFrom({ ...written, columns, rows: 1_500, people: 5, options }, [2])).toEqual(
      NOTHING_WRONG,
    );
    expect(await has(erased)).toEqual([false, false]);
    expect(await eraseFrom({ ...written, columns, rows: 1_500, people: 5, options }, [99])).toEqual(
      NOTHING_WRONG,
    );
    expect(await has(erased)).toEqual([true, true]);
  });

  test('an index of pages of a row group that stays names its pages where they lie now', async () => {
    const options = { row_group_size: 10, write_page_index: true };
    // Somebody who is in some row groups of ten rows only.
    expect(await eraseFrom({ ...written, rows: 200, people: 40, options }, [4])).toEqual(NOTHING_WRONG);
    const { footer } = await readParquet(erased);
    const indexed = footer.rowGroups.map(({ chunks }) =>
      chunks.every(({ struct }) => struct.has(CHUNK.offsetIndexOffset)),
    );
    expect(new Set(indexed)).toEqual(new Set([true, false]));
  });

  test('LZ4 is refused by its name', async () => {
    const options = { compression: 'lz4' };
    await pyarrow.write({ ...written, path: file, options });
    const erasing = rewriteInto(erased, { from: file, search: searchBy(['who'], [emailOf(3)]) });
    await expect(erasing).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      message: expect.stringContaining('packed by lz4'),
    });
  });

  test('whatever the types, the options and the people are, exactly the rows of the others are left', async () => {
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 8 }),
        async (one, people) => {
          const told = await eraseFrom(one, people);
          fc.pre(told !== undefined);
          expect(told).toEqual(NOTHING_WRONG);
        },
      ),
      { numRuns: Number(process.env.HABEAS_TEST_RUNS ?? 100) },
    );
  });
});

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        // Arrow does not read all of its dictionaries within other types.
        {
          weight: 5,
          arbitrary: fc.constantFrom(...ALL.filter((one) => !('of' in one) && one.kind !== 'dictionary')),
        },
        { weight: 1, arbitrary: tie('shape').map((of) => leaf('list', { of })) },
        { weight: 1, arbitrary: tie('shape').map((of) => leaf('map', { of })) },
        {
          weight: 1,
          arbitrary: fc
            .array(tie('shape'), { minLength: 1, maxLength: 3 })
            .map((of) => leaf('struct', { of })),
        },
      ),
      fc.boolean(),
    )
    .map(([one, nullable]) => ({ ...one, nullable })),
}));

const files: fc.Arbitrary<Omit<WrittenFile, 'path'>> = fc.record({
  columns: fc.array(
    fc.oneof({ weight: 9, arbitrary: shape }, { weight: 1, arbitrary: fc.constant(leaf('dictionary')) }),
    { maxLength: 4 },
  ),
  rows: fc.integer({ min: 0, max: 400 }),
  people: fc.integer({ min: 1, max: 13 }),
  seed: fc.nat(),
  options: fc.record({
    compression: fc.constantFrom('snappy', 'gzip', 'zstd', 'brotli', 'none'),
    data_page_version: fc.constantFrom('1.0', '2.0'),
    use_dictionary: fc.boolean(),
    dictionary_pagesize_limit: fc.constantFrom(30, 1 << 20),
    row_group_size: fc.constantFrom(7, 64, 1_000),
    data_page_size: fc.constantFrom(20, 300, 1 << 20),
    write_batch_size: fc.constantFrom(3, 50, 1_024),
    write_page_index: fc.boolean(),
    write_page_checksum: fc.boolean(),
    write_statistics: fc.boolean(),
  }),
});
