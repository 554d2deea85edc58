import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';
import { createGapDecisions } from './gap-migrations.ts';
import { numberDeclarations } from './number-migrations.ts';
import { createSourceTables } from './sources/source-migrations.ts';
import { createAlerts } from './watch-migrations.ts';

export const mapMigrations: Migrations = {
  '0005-map': {
    async up(db) {
      await sql`
        create table map_sources (
          organization_id text not null,
          source text not null,
          state text not null check (state in ('new', 'ok', 'partial', 'failing')),
          attempted_at timestamptz,
          complete_at timestamptz,
          error_code text,
          error_message text,
          warnings text not null,
          primary key (organization_id, source)
        )`.execute(db);
      await sql`
        create table map_declarations (
          organization_id text not null,
          source text not null,
          declaration text not null,
          kind text not null check (kind in ('transmit', 'store', 'client')),
          team text not null,
          service text,
          to_service text,
          data_type text,
          address text,
          protocol text,
          first_seen timestamptz not null,
          last_seen timestamptz check (last_seen >= first_seen),
          primary key (organization_id, source, declaration, first_seen),
          foreign key (organization_id, source) references map_sources
        )`.execute(db);
      // At most one open interval for a declaration of a source, whoever writes it.
      await sql`
        create unique index map_declarations_open on map_declarations (organization_id, source, declaration)
        where last_seen is null`.execute(db);
      await sql`
        create index map_declarations_clients on map_declarations (organization_id, team, address)
        where kind = 'client'`.execute(db);
      await sql`
        create table map_clients (
          organization_id text not null,
          id text not null,
          team text not null,
          service text not null,
          address text not null,
          protocol text not null,
          state text not null default 'proposed' check (state in ('proposed', 'approved', 'rejected')),
          decided_by text,
          decided_at timestamptz,
          first_seen timestamptz not null,
          primary key (organization_id, id),
          unique (organization_id, team, service, address, protocol),
          check ((state = 'proposed') = (decided_by is null))
        )`.execute(db);
    },
  },
  '0006-map-answers': {
    async up(db) {
      await sql`
        alter table map_sources
          add column kind text not null default 'scrape' check (kind in ('prometheus', 'scrape', 'file', 'push')),
          add column lost integer not null default 0,
          add column lost_at timestamptz`.execute(db);
      await sql`
        alter table map_declarations
          add column purpose text,
          add column subject text,
          add column retention text,
          add column region text`.execute(db);
      // What was declared at one moment, of a million ended intervals. The open ones have an index of their own.
      await sql`
        create index map_declarations_ended on map_declarations
        using gist (tstzrange(first_seen, last_seen, '[]'))
        where last_seen is not null`.execute(db);
      await sql`
        create table map_losses (
          organization_id text not null,
          at timestamptz not null,
          before timestamptz not null check (before <= at),
          lost integer not null check (lost > 0),
          edges integer not null check (edges >= lost),
          sources text not null,
          primary key (organization_id, at)
        )`.execute(db);
    },
  },
  '0007-map-backfill': { up: createSourceTables },
  '0008-map-versions': {
    async up(db) {
      await sql`alter table map_sources add column version bigint not null default 0`.execute(db);
      // Whoever writes intervals: what a server remembers of them is only right while this does not change.
      await sql`
        create function map_declarations_changed() returns trigger language plpgsql set search_path from current as $$
        begin
          update map_sources as sources
          set version = sources.version + 1
          from (select distinct organization_id, source from changed) as touched
          where sources.organization_id = touched.organization_id and sources.source = touched.source;
          return null;
        end $$`.execute(db);
      await sql`
        create trigger map_declarations_inserted after insert on map_declarations
        referencing new table as changed
        for each statement execute function map_declarations_changed()`.execute(db);
      await sql`
        create trigger map_declarations_updated after update on map_declarations
        referencing new table as changed
        for each statement execute function map_declarations_changed()`.execute(db);
      await sql`
        create trigger map_declarations_deleted after delete on map_declarations
        referencing old table as changed
        for each statement execute function map_declarations_changed()`.execute(db);
    },
  },
  '0009-map-alerts': { up: createAlerts },
  '0017-map-numbers': { up: numberDeclarations },
  '0102-gap-decisions': { up: createGapDecisions },
};
