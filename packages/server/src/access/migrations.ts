import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';

export const accessMigrations: Migrations = {
  '0003-organizations-and-api-keys': {
    async up(db) {
      await sql`
        create table organizations (
          organization_id text not null primary key,
          created_at timestamptz not null
        )`.execute(db);
      await sql`
        create table api_keys (
          organization_id text not null references organizations,
          id text not null,
          hash bytea not null unique,
          role text not null,
          name text not null,
          created_at timestamptz not null,
          created_by text not null,
          revoked_at timestamptz,
          primary key (organization_id, id)
        )`.execute(db);
    },
  },
  '0004-signing-keys': {
    async up(db) {
      await sql`
        create table signing_keys (
          organization_id text not null references organizations,
          key_id text not null,
          public_key text not null,
          sealed_private_key bytea not null,
          created_at timestamptz not null,
          primary key (organization_id, key_id)
        )`.execute(db);
    },
  },
  '0016-api-key-expiry': {
    async up(db) {
      await sql`alter table api_keys add column expires_at timestamptz`.execute(db);
    },
  },
  // Keys that were made before may do everything. An older server goes on to write `role`, and reads it.
  '0085-api-key-scopes': {
    async up(db) {
      await sql`
        alter table api_keys
          add column scopes text[], add column teams text[], alter column role set default 'admin'`.execute(
        db,
      );
    },
  },
  '0086-sessions': {
    async up(db) {
      await sql`
        create table sessions (
          organization_id text not null,
          id text not null,
          token_hash bytea not null unique,
          key_id text not null,
          created_at timestamptz not null,
          used_at timestamptz not null,
          confirmed_at timestamptz not null,
          expires_at timestamptz not null,
          primary key (organization_id, id),
          foreign key (organization_id, key_id) references api_keys (organization_id, id)
        )`.execute(db);
      await sql`create index sessions_expiry on sessions (organization_id, expires_at)`.execute(db);
    },
  },
  '0087-members': {
    async up(db) {
      await sql`
        create table members (
          organization_id text not null references organizations,
          id text not null,
          subject text,
          email text,
          name text,
          role text not null,
          teams text[],
          by_group text,
          created_at timestamptz not null,
          created_by text not null,
          signed_in_at timestamptz,
          removed_at timestamptz,
          primary key (organization_id, id),
          unique (organization_id, subject),
          unique (organization_id, email)
        )`.execute(db);
      await sql`
        alter table sessions
          alter column key_id drop not null,
          add column member_id text,
          add foreign key (organization_id, member_id) references members (organization_id, id),
          add check (num_nonnulls(key_id, member_id) = 1)`.execute(db);
    },
  },
};
