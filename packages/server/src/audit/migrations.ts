import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';

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
};
