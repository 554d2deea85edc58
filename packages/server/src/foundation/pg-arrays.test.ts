import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { booleanArray, byteaArray, int4Array, int8Array, textArray, timestamptzArray } from './pg-arrays.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.close());

const int4 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const moment = fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2200, 0) });
const words = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && text.isWellFormed());

it('gives PostgreSQL what text arrays give it', async () => {
  const rows = fc.array(
    fc.record({
      yes: fc.boolean(),
      int4,
      int8,
      moment: fc.option(moment),
      words: fc.option(words),
      bytes: fc.option(fc.uint8Array()),
    }),
    {
      maxLength: 8,
    },
  );
  await fc.assert(
    fc.asyncProperty(rows, async (given) => {
      const { rows: got } = await sql<{ same: boolean }>`
        select ${int4Array(given.map((row) => row.int4))}::integer[]
            = ${given.map((row) => row.int4)}::integer[]
          and ${booleanArray(given.map((row) => row.yes))}::boolean[] = ${given.map((row) => row.yes)}::boolean[]
          and ${int8Array(given.map((row) => row.int8))}::bigint[]
            = ${given.map((row) => String(row.int8))}::bigint[]
          and ${timestamptzArray(given.map((row) => row.moment))}::timestamptz[]
            = ${given.map((row) => (row.moment === null ? null : new Date(row.moment).toISOString()))}::timestamptz[]
          and ${textArray(given.map((row) => row.words))}::text[] = ${given.map((row) => row.words)}::text[]
          and ${byteaArray(given.map((row) => row.bytes))}::bytea[]
            = ${given.map((row) => (row.bytes === null ? null : Buffer.from(row.bytes)))}::bytea[] as same`.execute(
        database.db,
      );
      expect(got).toEqual([{ same: true }]);
    }),
    { numRuns: 100 },
  );
});
