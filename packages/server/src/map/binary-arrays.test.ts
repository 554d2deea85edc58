import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { readIntegers, readTimes } from './binary-arrays.ts';

it('reads numbers and times as PostgreSQL sends them, before the year 2000 too, and nothing from no rows', async () => {
  await using database = await createTestDatabase({});
  const send = async (numbers: readonly number[], times: readonly Date[]) => {
    const { rows } = await sql<{ numbers: Buffer | null; times: Buffer | null }>`
      select
        (select array_send(array_agg(number order by place)) from unnest(${numbers}::integer[])
          with ordinality as one (number, place)) as numbers,
        (select array_send(array_agg(at order by place)) from unnest(${times}::timestamptz[])
          with ordinality as one (at, place)) as times`.execute(database.db);
    return { numbers: [...readIntegers(rows[0]?.numbers)], times: [...readTimes(rows[0]?.times)] };
  };
  const time = fc.date({ min: new Date('1715-01-01'), max: new Date('2285-01-01'), noInvalidDate: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      fc.array(time),
      async (numbers, times) => {
        expect(await send(numbers, times)).toEqual({ numbers, times: times.map((at) => at.getTime()) });
      },
    ),
    { numRuns: 50, examples: [[[], []]] },
  );
});

it('cuts what is below a millisecond', async () => {
  await using database = await createTestDatabase({});
  const { rows } = await sql<{ times: Buffer }>`
    select array_send(array['2026-11-21T10:00:00.123999Z'::timestamptz]) as times`.execute(database.db);
  expect([...readTimes(rows[0]?.times)]).toEqual([Date.parse('2026-11-21T10:00:00.123Z')]);
});
