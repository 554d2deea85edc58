import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

/** Which people's signatures changed since a target was last brought up to date. */
export const targetMigrations: Migrations = {
  '0073-consent-targets': {
    async up(db) {
      await sql`
        create table consent_targets (
          organization_id text not null,
          target text not null,
          snapshot pg_snapshot,
          as_of timestamptz,
          reconciled_at timestamptz,
          primary key (organization_id, target)
        )`.execute(db);
      // A row is in the transaction of its change: what a snapshot sees of one, it sees of the other.
      await sql`
        create table consent_changes (
          organization_id text not null,
          subject integer not null,
          changed_in xid8 not null default pg_current_xact_id(),
          changed_at timestamptz not null default now()
        )`.execute(db);
      await sql`create index consent_changes_in on consent_changes (organization_id, changed_in)`.execute(db);
      await trigger(db, 'consent_signatures', 'update', 'before_rows, after_rows', {
        rows: `after_rows as a join before_rows as b using (organization_id, subject)`,
        where: '(a.known, a.granted) is distinct from (b.known, b.granted)',
      });
      for (const [table, event, rows] of [
        ['consent_signatures', 'insert', 'after_rows'],
        ['consent_signatures', 'delete', 'before_rows'],
        ['consent_identities', 'insert', 'after_rows'],
        ['consent_identities', 'delete', 'before_rows'],
      ] as const)
        await trigger(db, table, event, rows, { rows, where: 'true' });
      for (const rows of ['before_rows', 'after_rows'])
        await trigger(db, 'consent_identities', 'update', rows, { rows, where: 'true' });
    },
  },
  // Rows of before and after are matched by hashes, whatever the transaction says of joins: each with each, a thousand people were a million
  // comparisons. Where nobody is told, which is so until a target is registered, nothing is noted.
  '0090-consent-changes-by-hash': {
    async up(db) {
      for (const [table, event, tables] of NOTED) {
        const name = `note_${table}_${event}_${tables.replace(/\W+/g, '_')}`;
        const compared = tables.includes(',');
        const rows = compared
          ? 'after_rows as a join before_rows as b using (organization_id, subject)'
          : tables;
        await sql
          .raw(`
            create or replace function ${name}() returns trigger language plpgsql set search_path from current
              set enable_hashjoin = on set enable_nestloop = off set enable_mergejoin = off as $$
            begin
              insert into consent_changes (organization_id, subject)
              select distinct organization_id, subject from ${rows}
              where organization_id in (select t.organization_id from consent_targets as t)
                ${compared ? 'and (a.known, a.granted) is distinct from (b.known, b.granted)' : ''};
              return null;
            end $$`)
          .execute(db);
      }
      const { rows: targets } = await sql`select from consent_targets limit 1`.execute(db);
      if (targets.length > 0) return;
      for (const table of NOTED_TABLES)
        await sql`alter table ${sql.table(table)} disable trigger user`.execute(db);
    },
  },
};

export const NOTED_TABLES = ['consent_identities', 'consent_signatures'] as const;

/** What each trigger notes changes of. */
const NOTED = [
  ['consent_signatures', 'update', 'before_rows, after_rows'],
  ['consent_signatures', 'insert', 'after_rows'],
  ['consent_signatures', 'delete', 'before_rows'],
  ['consent_identities', 'insert', 'after_rows'],
  ['consent_identities', 'delete', 'before_rows'],
  ['consent_identities', 'update', 'before_rows'],
  ['consent_identities', 'update', 'after_rows'],
] as const;

type Db = Parameters<Migrations[string]['up']>[0];

/** Notes the subjects of changed rows, in an organization that has targets. */
async function trigger(
  db: Db,
  table: string,
  event: 'insert' | 'update' | 'delete',
  tables: string,
  { rows, where }: { readonly rows: string; readonly where: string },
): Promise<void> {
  const name = `${table}_${event}_${tables.replace(/\W+/g, '_')}`;
  await sql
    .raw(`
      create function note_${name}() returns trigger language plpgsql set search_path from current as $$
      begin
        insert into consent_changes (organization_id, subject)
        select distinct organization_id, subject from ${rows}
        where ${where} and exists (select from consent_targets as t where t.organization_id = ${rows.startsWith('after_rows as') ? 'a.' : ''}organization_id);
        return null;
      end $$`)
    .execute(db);
  const names = tables
    .split(', ')
    .map((one) => `${one === 'before_rows' ? 'old' : 'new'} table as ${one}`)
    .join(' ');
  await sql
    .raw(
      `create trigger note_${name} after ${event} on ${table} referencing ${names} for each statement execute function note_${name}()`,
    )
    .execute(db);
}
