import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';
import { auditFrontier } from './append-audit.ts';

export const auditMigrations: Migrations = {
  '0001-audit-entries': {
    async up(db) {
      await sql`
        create table audit_entries (
          organization_id text not null,
          sequence bigint generated always as identity,
          id text not null,
          at timestamptz not null,
          actor text not null,
          action text not null,
          subject text not null,
          details text not null,
          leaf_hash bytea not null,
          primary key (organization_id, sequence)
        )`.execute(db);
      await sql`create index audit_entries_by_subject on audit_entries (organization_id, subject, sequence)`.execute(
        db,
      );
    },
  },
  '0015-audit-request': {
    async up(db) {
      await sql`
        create index audit_entries_by_request on audit_entries
          (organization_id, (details::jsonb ->> 'request'), sequence)
          where details::jsonb ->> 'request' is not null`.execute(db);
    },
  },
  '0026-audit-log': {
    async up(db) {
      await sql`
        create table audit_logs (
          organization_id text not null primary key,
          origin text not null,
          size bigint not null default 0,
          integrated_to bigint not null default 0,
          checkpoint text,
          checkpoint_size bigint,
          checkpoint_at timestamptz,
          check ((checkpoint is null) = (checkpoint_size is null)),
          check (checkpoint_size <= size)
        )`.execute(db);
      await sql`
        create table audit_tiles (
          organization_id text not null,
          level integer not null,
          number bigint not null,
          hashes bytea not null,
          sequences bigint[],
          first_sequence bigint,
          primary key (organization_id, level, number),
          check ((level = 0) = (sequences is not null)),
          check ((level = 0) = (first_sequence is not null))
        )`.execute(db);
      // Hashes do not compress; trying costs time and gains nothing.
      await sql`alter table audit_tiles alter column hashes set storage external`.execute(db);
      await sql`
        create index audit_tiles_by_sequence on audit_tiles (organization_id, first_sequence)
        where level = 0`.execute(db);
    },
  },
  '0028-audit-publications': {
    async up(db) {
      await sql`
        create table audit_publications (
          organization_id text not null primary key,
          at timestamptz not null,
          size bigint not null
        )`.execute(db);
    },
  },
  // Made anew by the last one.
  '0093-append-audit': { up: async () => undefined },
  '0108-append-audit': {
    async up(db) {
      await sql`drop function if exists append_audit`.execute(db);
      // See append-audit.ts. The frontier knows of the transaction before the first number is taken. Most calls write one entry, and a row of
      // values costs half of a statement that reads arrays.
      await sql`
        create function append_audit(moment timestamptz, organizations text[], ids text[], actors text[], actions text[], subjects text[], details text[],
          leaves bytea[]) returns void language plpgsql set search_path from current as $$
        declare
          registered boolean := ${auditFrontier.register};
        begin
          for n in 1..cardinality(ids) loop
            insert into audit_entries (organization_id, id, at, actor, action, subject, details, leaf_hash)
            values (organizations[n], ids[n], moment, actors[n], actions[n], subjects[n], append_audit.details[n], leaves[n]);
          end loop;
        end $$`.execute(db);
    },
  },
};
