import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';
import { createPersonMails } from './person/person-mails.ts';

export const notifyMigrations: Migrations = {
  '0002-outbox-events': {
    async up(db) {
      await sql`
        create table outbox_events (
          organization_id text not null,
          sequence bigint generated always as identity,
          id text not null,
          at timestamptz not null,
          type text not null,
          request_id text,
          data text not null,
          primary key (organization_id, sequence)
        )`.execute(db);
      await sql`create index outbox_events_by_request on outbox_events (organization_id, request_id, sequence)`.execute(
        db,
      );
    },
  },
  '0002-outbox-subscriptions': {
    async up(db) {
      await sql`
        create table notify_subscriptions (
          organization_id text not null,
          name text not null,
          position bigint not null,
          failures integer not null default 0,
          failing_since timestamptz,
          error text,
          primary key (organization_id, name),
          check ((failures = 0) = (failing_since is null))
        )`.execute(db);
      await sql`
        create table notify_dead_letters (
          organization_id text not null,
          subscription text not null,
          event_id text not null,
          type text not null,
          at timestamptz not null,
          given_up_at timestamptz not null,
          error text not null,
          primary key (organization_id, subscription, event_id)
        )`.execute(db);
    },
  },
  '0040-person-mails': { up: createPersonMails },
  '0058-webhook-retries': {
    async up(db) {
      await sql`
        create table notify_retries (
          organization_id text not null,
          subscription text not null,
          event_id text not null,
          sequence bigint not null,
          tries integer not null,
          next_at timestamptz not null,
          outage boolean not null,
          error text not null,
          primary key (organization_id, subscription, event_id)
        )`.execute(db);
      await sql`create index notify_retries_next on notify_retries (organization_id, subscription, next_at)`.execute(
        db,
      );
      await sql`alter table notify_subscriptions add column disabled_at timestamptz`.execute(db);
      await sql`alter table notify_dead_letters add column sequence bigint`.execute(db);
    },
  },
};
