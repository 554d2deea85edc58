import { CompiledQuery, sql } from 'kysely';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { type Migrations, migrate, openDatabase } from './database.ts';
import { kept, keptStatement } from './habeas-client.ts';

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
    const { rows } = await sql<{ statement: string; calls: number }>`
      select statement, (generic_plans + custom_plans)::integer as calls from pg_prepared_statements`.execute(
      db,
    );
    expect(rows).toEqual([{ statement: text, calls: 2 }]);
  } finally {
    await close();
  }
});

it('plans kept statements anew the more there were: a table that was small does not stay so', async () => {
  await using database = await createTestDatabase();
  const { db, close } = openDatabase({ url: database.url, connections: 1 });
  const find = () => sql`${kept} select id from things where id = ${7}::integer`.execute(db);
  const plan = async () => {
    const { rows } = await sql<{ name: string }>`select name from pg_prepared_statements`.execute(db);
    const name = sql.id(rows[0]?.name ?? '');
    const explained = await sql<Record<string, string>>`explain (costs off) execute ${name} (7)`.execute(db);
    return Object.values(explained.rows[0] ?? {})[0];
  };
  try {
    await sql`create table things (id integer primary key) with (autovacuum_enabled = off)`.execute(db);
    await sql`insert into things values (7)`.execute(db);
    await sql`analyze things`.execute(db);
    // As often as PostgreSQL tries before it keeps a plan for all values.
    for (let call = 0; call < 6; call += 1) await find();
    expect(await plan()).toBe('Seq Scan on things');
    await sql`insert into things select generate_series(8, 20000)`.execute(db);
    for (let call = 7; call < 32; call += 1) await find();
    expect(await plan()).toBe('Seq Scan on things');
    await find();
    expect(await plan()).toBe('Index Only Scan using things_pkey on things');
  } finally {
    await close();
  }
});
