import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { readIntegers, readTimes } from './binary-arrays.ts';

it('reads numbers and times as PostgreSQL sends them, before the year 2000 too, in pieces', async () => {
  await using database = await createTestDatabase({});
  const send = async (numbers: readonly number[], times: readonly Date[]) => {
    const { rows } = await sql<{ numbers: Buffer; times: Buffer }>`
      select
        (select coalesce(string_agg(int4send(number), ''::bytea order by place), '')
          from unnest(${numbers}::integer[]) with ordinality as one (number, place)) as numbers,
        (select coalesce(string_agg(timestamptz_send(at), ''::bytea order by place), '')
          from unnest(${times}::timestamptz[]) with ordinality as one (at, place)) as times`.execute(
      database.db,
    );
    const pieces = (name: 'numbers' | 'times') => rows.map((row) => row[name]);
    // Twice, as if they came in two pieces.
    return {
      numbers: [...readIntegers([...pieces('numbers'), ...pieces('numbers')])],
      times: [...readTimes([...pieces('times'), ...pieces('times')])],
    };
  };
  const time = fc.date({ min: new Date('1715-01-01'), max: new Date('2285-01-01'), noInvalidDate: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      fc.array(time),
      async (numbers, times) => {
        const milliseconds = times.map((at) => at.getTime());
        expect(await send(numbers, times)).toEqual({
          numbers: [...numbers, ...numbers],
          times: [...milliseconds, ...milliseconds],
        });
      },
    ),
    { numRuns: 50, examples: [[[], []]] },
  );
});

it('cuts what is below a millisecond', async () => {
  await using database = await createTestDatabase({});
  const { rows } = await sql<{ times: Buffer }>`
    select timestamptz_send('2026-11-21T10:00:00.123999Z'::timestamptz) as times`.execute(database.db);
  expect([...readTimes(rows.map(({ times }) => times))]).toEqual([Date.parse('2026-11-21T10:00:00.123Z')]);
});
