import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';
import { recordFunctions } from './record-function.ts';

/** What people agreed to: who they are by dense numbers, all that they ever said, and what it comes to. */
export const consentMigrations: Migrations = {
  ...recordFunctions,
  '0068-consent': {
    async up(db) {
      // A bit is never given to another purpose: what was said about the first one would be read as said about the second.
      await sql`
        create table consent_purposes (
          organization_id text not null,
          bit smallint not null check (bit between 0 and 62),
          code text not null,
          primary key (organization_id, bit),
          unique (organization_id, code)
        )`.execute(db);
      await sql`
        create table consent_counters (
          organization_id text primary key,
          next_subject integer not null
        )`.execute(db);
      // The value is sealed; the digest, which is keyed, finds it.
      await sql`
        create table consent_identities (
          organization_id text not null,
          digest bytea not null,
          subject integer not null,
          type text not null,
          sealed_value bytea not null,
          primary key (organization_id, digest)
        )`.execute(db);
      await sql`create index consent_identities_of on consent_identities (organization_id, subject)`.execute(
        db,
      );
      // Only ever added to. The content is a hash of what was said, so that an id that is used again for something else is seen.
      await sql`
        create table consent_signals (
          organization_id text not null,
          event_id text not null,
          subject integer not null,
          said_at timestamptz not null,
          received_at timestamptz not null,
          mask bigint not null,
          value bigint not null,
          source text not null,
          notice jsonb,
          content bytea not null,
          primary key (organization_id, event_id),
          check (value & ~mask = 0)
        )`.execute(db);
      await sql`create index consent_signals_of on consent_signals (organization_id, subject)`.execute(db);
      await sql`
        create table consent_signatures (
          organization_id text not null,
          subject integer not null,
          known bigint not null,
          granted bigint not null,
          latest timestamptz,
          primary key (organization_id, subject),
          check (granted & ~known = 0)
        ) with (fillfactor = 85)`.execute(db);
    },
  },
  // All that a repetition is compared with stands in the row.
  '0077-consent-signals-without-hashes': {
    async up(db) {
      await sql`alter table consent_signals drop column content`.execute(db);
    },
  },
  '0078-consent-joins': {
    async up(db) {
      // Whose a random id of a browser became: that of the first person who signed in with it, for good.
      await sql`
        create table consent_joins (
          organization_id text not null,
          anonymous integer not null,
          subject integer not null,
          joined_at timestamptz not null,
          primary key (organization_id, anonymous)
        )`.execute(db);
    },
  },
  '0034-consent-expiries': {
    async up(db) {
      // Of whom an agreement expires next, at the latest; nobody where agreements count for ever.
      await sql`
        create table consent_expiries (
          organization_id text not null,
          subject integer not null,
          expires_at timestamptz not null,
          primary key (organization_id, subject)
        )`.execute(db);
      await sql`create index consent_expiries_due on consent_expiries (organization_id, expires_at)`.execute(
        db,
      );
      // What the signatures were last made with.
      await sql`
        create table consent_validities (
          organization_id text primary key,
          days text not null
        )`.execute(db);
    },
  },
  '0037-consent-notices': {
    async up(db) {
      // What people were shown, for as long as somebody may have to prove it. A version whose texts changed has several.
      await sql`
        create table consent_notices (
          organization_id text not null,
          version text not null,
          hash bytea not null,
          since timestamptz not null,
          content text not null,
          primary key (organization_id, version, hash)
        )`.execute(db);
    },
  },
  // What tells rows apart stands first in each index that rows are looked up by: the organization is the same in nearly all of them, and comparing
  // it again and again took as long as all else. Bytes are compared, whatever the locale of the database.
  '0091-consent-keys': {
    async up(db) {
      await sql`
        alter table consent_identities drop constraint consent_identities_pkey, add primary key (digest, organization_id)`.execute(
        db,
      );
      await sql`
        alter table consent_signals drop constraint consent_signals_pkey, alter column event_id type text collate "C",
          add primary key (event_id, organization_id)`.execute(db);
      await sql`
        alter table consent_signatures drop constraint consent_signatures_pkey, add primary key (subject, organization_id)`.execute(
        db,
      );
    },
  },
  '0109-consent-signals-by-subject': {
    async up(db) {
      // As with the keys of 0091.
      await sql`drop index consent_signals_of`.execute(db);
      await sql`create index consent_signals_of on consent_signals (subject, organization_id)`.execute(db);
    },
  },
  '0079-consent-receipts': {
    async up(db) {
      await sql`
        create table consent_receipts (
          organization_id text not null,
          event_id text not null,
          id text not null,
          sequence bigint not null,
          receipt text not null,
          primary key (organization_id, event_id)
        )`.execute(db);
    },
  },
};
