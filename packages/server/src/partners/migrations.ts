import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';

export const partnerMigrations: Migrations = {
  '0050-partners': {
    async up(db) {
      await sql`
        create table partners (
          organization_id text not null,
          id text not null,
          protocol text not null,
          partner_id text not null,
          name text not null,
          source text not null,
          verify_key text,
          callback_origins text[] not null,
          created_at timestamptz not null,
          created_by text not null,
          revoked_at timestamptz,
          primary key (organization_id, id),
          unique (organization_id, protocol, partner_id)
        )`.execute(db);
      await sql`
        create table partner_tokens (
          organization_id text not null,
          partner text not null,
          hash bytea not null unique,
          verify_key text,
          created_at timestamptz not null,
          primary key (organization_id, hash),
          foreign key (organization_id, partner) references partners (organization_id, id)
        )`.execute(db);
      await sql`create index partner_tokens_by_partner on partner_tokens (organization_id, partner)`.execute(
        db,
      );
      await sql`
        create table partner_messages (
          organization_id text not null,
          digest bytea not null,
          expires_at timestamptz not null,
          primary key (organization_id, digest)
        )`.execute(db);
      await sql`create index partner_messages_expired on partner_messages (organization_id, expires_at)`.execute(
        db,
      );
    },
  },
  '0051-partner-requests': {
    async up(db) {
      await sql`
        create table partner_requests (
          organization_id text not null,
          partner text not null,
          wire_id text not null,
          request_id text,
          ask_digest bytea not null,
          status text not null,
          ended_at timestamptz,
          revoked boolean not null default false,
          received_at timestamptz not null,
          expires_at timestamptz,
          sealed bytea not null,
          primary key (organization_id, partner, wire_id),
          unique (organization_id, partner, ask_digest),
          foreign key (organization_id, partner) references partners (organization_id, id)
        )`.execute(db);
      await sql`
        create unique index partner_requests_by_request on partner_requests (organization_id, request_id)
        where request_id is not null`.execute(db);
      await sql`
        create index partner_requests_open on partner_requests (organization_id, partner, wire_id) where ended_at is null`.execute(
        db,
      );
      await sql`
        create index partner_requests_old on partner_requests (organization_id, ended_at) where ended_at is not null`.execute(
        db,
      );
      await sql`
        create index partner_requests_unverified on partner_requests (organization_id, expires_at)
        where request_id is null and ended_at is null`.execute(db);
      await sql`
        create table partner_callbacks (
          organization_id text not null,
          sequence bigint generated always as identity,
          partner text not null,
          wire_id text not null,
          address integer not null,
          status text not null,
          created_at timestamptz not null,
          failures integer not null default 0,
          next_attempt_at timestamptz not null,
          sent_at timestamptz,
          lost_at timestamptz,
          error_code text,
          primary key (organization_id, sequence),
          unique (organization_id, partner, wire_id, address, status),
          foreign key (organization_id, partner, wire_id) references partner_requests (organization_id, partner, wire_id)
        )`.execute(db);
      await sql`
        create index partner_callbacks_due on partner_callbacks (organization_id, next_attempt_at)
        where sent_at is null and lost_at is null`.execute(db);
    },
  },
};
