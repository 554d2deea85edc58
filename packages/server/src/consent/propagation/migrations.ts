import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

/** What destinations are told of people's choices. */
export const propagationMigrations: Migrations = {
  '0033-consent-deliveries': {
    async up(db) {
      await sql`create sequence consent_delivery_versions`.execute(db);
      // One row for each person and destination, with the state that is to be told: a later state takes the place of an earlier one, with a
      // version and an id of its own, so that an id always says the same.
      await sql`
        create table consent_deliveries (
          organization_id text not null,
          destination text not null,
          subject integer not null,
          version bigint not null default nextval('consent_delivery_versions'),
          id uuid not null default gen_random_uuid(),
          known bigint not null,
          granted bigint not null,
          said_at timestamptz,
          made_at timestamptz not null default now(),
          changed_at timestamptz not null,
          state text not null default 'waiting' check (state in ('waiting', 'sent', 'acknowledged', 'given_up')),
          tries integer not null default 0,
          next_at timestamptz not null default now(),
          outage boolean not null default false,
          operations jsonb,
          error text,
          primary key (organization_id, destination, subject),
          check (granted & ~known = 0)
        )`.execute(db);
      await sql`create unique index consent_deliveries_id on consent_deliveries (id)`.execute(db);
      await sql`
        create index consent_deliveries_due on consent_deliveries (organization_id, destination, next_at)
        where state = 'waiting'`.execute(db);
      await sql`
        create index consent_deliveries_open on consent_deliveries (organization_id, destination, state, changed_at)
        where state <> 'acknowledged'`.execute(db);
    },
  },
  '0112-consent-destinations': {
    async up(db) {
      // What each destination was last told by: where the configuration says something else, messages say something else.
      await sql`
        create table consent_destinations (
          organization_id text not null,
          destination text not null,
          shape text not null,
          identities text not null,
          gone text,
          rests text,
          rests_until timestamptz,
          primary key (organization_id, destination)
        )`.execute(db);
      // Purposes of which it was told that they are not allowed. What it was told before now, nobody wrote down.
      await sql`
        alter table consent_deliveries add column refused bigint not null default 9223372036854775807`.execute(
        db,
      );
      await sql`alter table consent_deliveries alter column refused set default 0`.execute(db);
    },
  },
};
