import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

export const verificationMigrations: Migrations = {
  '0041-verifications': {
    async up(db) {
      await sql`alter table requests add column language text`.execute(db);
      await sql`
        create table verifications (
          organization_id text not null,
          request_id text not null,
          state text not null,
          required text[] not null,
          expires_at timestamptz not null,
          signed_in boolean not null default false,
          questions_state text not null default 'none',
          questions text,
          answers text,
          post_at timestamptz,
          agent text,
          permission text,
          merged_into text,
          primary key (organization_id, request_id)
        )`.execute(db);
      await sql`create index verifications_to_end on verifications (organization_id, expires_at) where state <> 'ended'`.execute(
        db,
      );
      await sql`create index verifications_to_post on verifications (organization_id, post_at) where post_at is not null`.execute(
        db,
      );
      await sql`
        create table verification_contacts (
          organization_id text not null,
          request_id text not null,
          position integer not null,
          role text not null,
          identity_digest bytea,
          sealed_address text not null,
          code_digest bytea,
          code_expires_at timestamptz,
          attempts integer not null default 0,
          codes_sent integer not null default 0,
          proved_at timestamptz,
          primary key (organization_id, request_id, position)
        )`.execute(db);
      await sql`
        create table verification_tokens (
          organization_id text not null,
          digest bytea not null,
          request_id text not null,
          primary key (organization_id, digest)
        )`.execute(db);
      await sql`create index verification_tokens_by_request on verification_tokens (organization_id, request_id)`.execute(
        db,
      );
      await sql`
        create table verification_sign_ins (
          organization_id text not null,
          state_digest bytea not null,
          request_id text not null,
          browser_digest bytea not null,
          sealed_secrets text not null,
          expires_at timestamptz not null,
          primary key (organization_id, state_digest)
        )`.execute(db);
      await sql`create index verification_sign_ins_by_request on verification_sign_ins (organization_id, request_id)`.execute(
        db,
      );
      await sql`
        create table verified_subjects (
          organization_id text not null,
          right_kind text not null,
          subject bytea not null,
          request_id text not null,
          primary key (organization_id, right_kind, subject)
        )`.execute(db);
      await sql`create index verified_subjects_by_request on verified_subjects (organization_id, request_id)`.execute(
        db,
      );
      // Counts survive no crash: losing some is better than a write to disk for each stranger's call.
      await sql`
        create unlogged table rate_limits (
          organization_id text not null,
          scope text not null,
          whom bytea not null,
          full_at timestamptz not null,
          primary key (organization_id, scope, whom)
        )`.execute(db);
      await sql`create index rate_limits_full on rate_limits (organization_id, full_at)`.execute(db);
    },
  },
  '0088-contact-proofs': {
    async up(db) {
      await sql`
        create table contact_proofs (
          organization_id text not null,
          digest bytea not null,
          sealed_address bytea not null,
          code_digest bytea,
          code_expires_at timestamptz,
          attempts integer not null,
          proved boolean not null,
          expires_at timestamptz not null,
          primary key (organization_id, digest)
        )`.execute(db);
      await sql`create index contact_proofs_end on contact_proofs (organization_id, expires_at)`.execute(db);
    },
  },
};
