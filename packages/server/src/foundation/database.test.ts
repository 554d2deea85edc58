import { CompiledQuery, sql } from 'kysely';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { keptStatement, type Migrations, migrate, openDatabase } from './database.ts';

const change = (name: string): Migrations => ({
  [name]: {
    up: (db) =>
      sql
        .raw(`create table "${name}" ()`)
        .execute(db)
        .then(() => undefined),
  },
});
const older: Migrations = { ...change('0001-first'), ...change('0020-later-room') };

it('makes a change whose number is lower than one that was made, because each room numbers its own', async () => {
  await using database = await createTestDatabase(older);
  const newer = { ...older, ...change('0015-audit') };
  expect(await migrate(database.db, newer)).toEqual(['0015-audit']);
  expect(await migrate(database.db, newer)).toEqual([]);
});

it('changes nothing in a database of a newer version', async () => {
  await using database = await createTestDatabase({ ...older, ...change('0015-audit') });
  const other = { ...older, ...change('0016-other') };
  await expect(migrate(database.db, other)).rejects.toMatchObject({ code: 'DATABASE_NEWER' });
  await expect(sql`select 1 from "0016-other"`.execute(database.db)).rejects.toThrow('does not exist');
});

it('has connections keep the statements that are to be kept, and no others', async () => {
  await using database = await createTestDatabase();
  const { db, close } = openDatabase({ url: database.url, connections: 1 });
  const text = keptStatement('select $1::integer + 1 as next');
  try {
    for (const number of [1, 2]) {
      const { rows } = await db.executeQuery(CompiledQuery.raw(text, [number]));
      expect(rows).toEqual([{ next: number + 1 }]);
    }
    await sql`select ${3}::integer`.execute(db);
    const { rows } = await sql`
      select statement, (generic_plans + custom_plans)::integer as calls from pg_prepared_statements`.execute(
      db,
    );
    expect(rows).toEqual([{ statement: text, calls: 2 }]);
  } finally {
    await close();
  }
});
