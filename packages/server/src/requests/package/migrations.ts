import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

export const packageMigrations: Migrations = {
  '0046-packages': {
    async up(db) {
      await sql`
        create table packages (
          organization_id text not null,
          id text not null,
          request_id text not null,
          task_id text not null,
          attempt integer not null,
          state text not null,
          storage text not null,
          sealed_key bytea,
          header bytea not null,
          contents_digest bytea not null,
          built_at timestamptz not null,
          bytes bigint,
          sealed_bytes bigint,
          sha256 text,
          expires_at timestamptz,
          discarded_at timestamptz,
          removed_at timestamptz,
          primary key (organization_id, id)
        )`.execute(db);
      await sql`create unique index packages_being_built on packages (organization_id, task_id) where state = 'building'`.execute(
        db,
      );
      await sql`create index packages_by_request on packages (organization_id, request_id) where state <> 'discarded'`.execute(
        db,
      );
      await sql`create index packages_to_expire on packages (organization_id, expires_at) where state = 'ready'`.execute(
        db,
      );
      await sql`create index packages_to_remove on packages (organization_id, removed_at) where state = 'discarded'`.execute(
        db,
      );
      await sql`
        create table package_parts (
          organization_id text not null,
          package_id text not null,
          position integer not null,
          first_chunk bigint not null,
          start bigint not null,
          bytes integer not null,
          digest bytea not null,
          sealed_state bytea,
          primary key (organization_id, package_id, position)
        )`.execute(db);
      await sql`
        create table package_bytes (
          organization_id text not null,
          package_id text not null,
          position integer not null,
          bytes bytea not null,
          stored_at timestamptz not null,
          primary key (organization_id, package_id, position)
        )`.execute(db);
      await sql`alter table package_bytes alter column bytes set storage external`.execute(db);
      // Packages were kept in another form; who still wants one asks again.
      await sql`update requests set package_blob = null where package_blob is not null`.execute(db);
      await sql`delete from request_blobs where blob like 'package/%'`.execute(db);
      await sql`drop index requests_with_package`.execute(db);
    },
  },
  '0047-blocked-for-good': {
    async up(db) {
      await sql`create index requests_blocked on requests (organization_id, due_at) where state = 'blocked'`.execute(
        db,
      );
    },
  },
  '0048-package-links': {
    async up(db) {
      await sql`
        create table package_links (
          organization_id text not null,
          id text not null,
          request_id text not null,
          token_hash bytea not null,
          expires_at timestamptz not null,
          downloads_left integer not null check (downloads_left >= 0),
          code_hash bytea,
          code_expires_at timestamptz,
          code_tries integer not null default 0,
          wrong_tries integer not null default 0,
          codes_sent integer not null default 0,
          codes_since timestamptz not null,
          revoked boolean not null default false,
          primary key (organization_id, id),
          unique (organization_id, token_hash)
        )`.execute(db);
      await sql`create index package_links_by_request on package_links (organization_id, request_id)`.execute(
        db,
      );
      await sql`create index package_links_to_prune on package_links (organization_id, expires_at)`.execute(
        db,
      );
      await sql`
        create table package_grants (
          organization_id text not null,
          secret_hash bytea not null,
          link_id text not null,
          expires_at timestamptz not null,
          counted boolean not null default false,
          arrived boolean not null default false,
          primary key (organization_id, secret_hash),
          foreign key (organization_id, link_id) references package_links (organization_id, id) on delete cascade
        )`.execute(db);
      await sql`create index package_grants_by_link on package_grants (organization_id, link_id)`.execute(db);
    },
  },
};
