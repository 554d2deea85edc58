import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';
import { packageMigrations } from './package/migrations.ts';
import { policyMigrations } from './policy-migrations.ts';
import { verificationMigrations } from './verification/migrations.ts';

export const requestMigrations: Migrations = {
  ...packageMigrations,
  ...policyMigrations,
  '0052-request-about': {
    async up(db) {
      await sql`alter table requests add column about text not null default 'person'`.execute(db);
    },
  },
  '0020-requests': {
    async up(db) {
      await sql`
        create table requests (
          organization_id text not null,
          id text not null,
          right_kind text not null,
          state text not null,
          held_from text,
          dry_run boolean not null,
          identity_types text[] not null,
          received_at timestamptz not null,
          due_at timestamptz not null,
          waits_until timestamptz,
          started_at timestamptz,
          completed_at timestamptz,
          residual_until timestamptz,
          reason text,
          policy_version text,
          open_tasks integer not null default 0 check (open_tasks >= 0),
          blocked_tasks integer not null default 0 check (blocked_tasks >= 0),
          total_tasks integer not null default 0,
          destruction_started boolean not null default false,
          matched boolean,
          plan text,
          plan_hash text,
          package_blob text,
          package_bytes bigint,
          package_sha256 text,
          package_expires_at timestamptz,
          forget_at timestamptz,
          received_by text not null,
          primary key (organization_id, id)
        ) with (fillfactor = 70)`.execute(db);
      await sql`create index requests_unended on requests (state, waits_until) where state in ('received', 'waiting')`.execute(
        db,
      );
      await sql`create index requests_to_forget on requests (forget_at) where forget_at is not null`.execute(
        db,
      );
      await sql`create index requests_with_package on requests (package_expires_at) where package_blob is not null`.execute(
        db,
      );
      await sql`
        create table request_keys (
          organization_id text not null,
          request_id text not null,
          sealed_key bytea not null,
          primary key (organization_id, request_id)
        )`.execute(db);
      await sql`
        create table request_identities (
          organization_id text not null,
          request_id text not null,
          digest bytea not null,
          position bigint generated always as identity,
          type text not null,
          sealed_value bytea not null,
          source text not null,
          primary key (organization_id, request_id, digest)
        )`.execute(db);
      await sql`
        create table request_blobs (
          organization_id text not null,
          request_id text not null,
          blob text not null,
          part text not null,
          position integer not null,
          sealed bytea not null,
          primary key (organization_id, request_id, blob, part, position)
        )`.execute(db);
      // Sealed bytes do not compress; trying costs time and gains nothing.
      await sql`alter table request_blobs alter column sealed set storage external`.execute(db);
      await sql`
        create table idempotency_keys (
          organization_id text not null,
          idempotency_key text not null,
          request_id text not null,
          body_digest bytea not null,
          created_at timestamptz not null,
          primary key (organization_id, idempotency_key)
        )`.execute(db);
      await sql`
        create table plan_inputs (
          organization_id text not null,
          hash text not null,
          content text not null,
          primary key (organization_id, hash)
        )`.execute(db);
    },
  },
  '0021-tasks': {
    async up(db) {
      await sql`
        create table tasks (
          organization_id text not null,
          id text not null,
          request_id text not null,
          key text not null,
          position integer not null,
          kind text not null,
          system text,
          team text,
          inputs text,
          state text not null,
          remaining integer not null check (remaining >= 0),
          attempt integer not null default 0,
          failures integer not null default 0,
          generation integer not null default 1,
          worker text,
          operation text,
          blob text,
          contents text,
          next_attempt_at timestamptz,
          enqueued_at timestamptz,
          started_at timestamptz,
          ended_at timestamptz,
          error_code text,
          error_message text,
          evidence text,
          note text,
          primary key (organization_id, id),
          unique (organization_id, request_id, key)
        ) with (fillfactor = 60)`.execute(db);
      await sql`create index tasks_due on tasks (next_attempt_at) where state in ('ready', 'waiting')`.execute(
        db,
      );
      await sql`create index tasks_ready on tasks (enqueued_at) where state = 'ready'`.execute(db);
      await sql`create index tasks_underway_by_system on tasks (system) where state in ('ready', 'running', 'waiting')`.execute(
        db,
      );
      await sql`create index tasks_running on tasks (worker) where state = 'running'`.execute(db);
      await sql`create index tickets_by_team on tasks (organization_id, team, state) where kind = 'ticket'`.execute(
        db,
      );
      await sql`
        create table task_dependencies (
          organization_id text not null,
          request_id text not null,
          task_id text not null,
          depends_on text not null,
          primary key (organization_id, depends_on, task_id)
        )`.execute(db);
      await sql`create index task_dependencies_by_request on task_dependencies (organization_id, request_id)`.execute(
        db,
      );
    },
  },
  '0022-called-back-at': {
    async up(db) {
      await sql`alter table tasks add column called_back_at timestamptz`.execute(db);
    },
  },
  // The rows of tasks are the queue; jobs beside them are gone.
  '0023-tasks-are-the-queue': {
    async up(db) {
      await sql`drop schema if exists habeas_jobs cascade`.execute(db);
      await sql`drop index tasks_due`.execute(db);
      await sql`drop index tasks_underway_by_system`.execute(db);
      await sql`alter table tasks drop column enqueued_at`.execute(db);
      await sql`
        create index tasks_due on tasks (organization_id, coalesce(system, ''), coalesce(next_attempt_at, '-infinity'), id)
        where state in ('ready', 'waiting') and kind <> 'ticket'`.execute(db);
    },
  },
  '0024-receipts': {
    async up(db) {
      await sql`alter table requests add column receipt text`.execute(db);
      await sql`
        create index requests_without_receipt on requests (organization_id, completed_at)
        where completed_at is not null and receipt is null`.execute(db);
    },
  },
  '0025-plan-inputs-used-at': {
    async up(db) {
      await sql`alter table plan_inputs add column used_at timestamptz not null default now()`.execute(db);
      await sql`create index tasks_by_inputs on tasks (organization_id, inputs) where inputs is not null`.execute(
        db,
      );
    },
  },
  '0035-rights-that-change': {
    async up(db) {
      await sql`
        alter table requests
          add column targets text[] not null default '{}',
          add column purposes text[] not null default '{}',
          add column lift boolean not null default false`.execute(db);
      await sql`
        create table request_changes (
          organization_id text not null,
          request_id text not null,
          sealed bytea not null,
          primary key (organization_id, request_id)
        )`.execute(db);
    },
  },
  '0036-processing-choices': {
    async up(db) {
      await sql`
        create table processing_choices (
          organization_id text not null,
          digest bytea not null,
          flag text not null,
          purpose text not null,
          request_id text not null,
          since timestamptz not null,
          primary key (organization_id, digest, flag, purpose)
        )`.execute(db);
      await sql`
        create index processing_choices_by_request on processing_choices (organization_id, flag, request_id)`.execute(
        db,
      );
    },
  },
  '0056-pauses': {
    async up(db) {
      await sql`
        create table pauses (
          organization_id text not null,
          system text not null,
          reason text not null,
          paused_by text not null,
          paused_at timestamptz not null,
          primary key (organization_id, system)
        )`.execute(db);
    },
  },
  '0057-task-reports': {
    async up(db) {
      await sql`alter table tasks add column reports_from timestamptz`.execute(db);
      await sql`
        create table task_reports (
          organization_id text not null,
          source text not null,
          message_id text not null,
          task_id text not null,
          request_id text not null,
          status text not null,
          generation integer,
          records bigint,
          at timestamptz not null,
          received_at timestamptz not null,
          settled_at timestamptz,
          outcome text,
          primary key (organization_id, source, message_id, task_id, status)
        )`.execute(db);
      await sql`
        create index task_reports_unsettled on task_reports (organization_id, received_at) where settled_at is null`.execute(
        db,
      );
    },
  },
  // A receipt of the first version has no salt, and its hash is not in the audit log; it is made once more.
  '0027-receipts-in-the-audit-log': {
    async up(db) {
      await sql`update requests set receipt = null where receipt is not null`.execute(db);
    },
  },
  // A receipt of the second version told of no collection how far gone it is; it is made once more.
  '0062-receipts-by-collection': {
    async up(db) {
      await sql`update requests set receipt = null where receipt is not null`.execute(db);
    },
  },
  ...verificationMigrations,
  '0059-ticket-mirrors': {
    async up(db) {
      await sql`
        create table ticket_mirrors (
          organization_id text not null,
          tracker text not null,
          ticket_id text not null,
          issue_id text,
          label text,
          seen text not null,
          acted text not null,
          tried_at timestamptz not null,
          settled_at timestamptz not null,
          primary key (organization_id, tracker, ticket_id)
        )`.execute(db);
      await sql`create index ticket_mirrors_by_issue on ticket_mirrors (organization_id, tracker, issue_id)`.execute(
        db,
      );
      await sql`
        create index ticket_mirrors_open on ticket_mirrors (organization_id, tracker, ticket_id)
        where seen = 'open' or seen <> acted`.execute(db);
      await sql`
        create table tracker_cursors (
          organization_id text not null,
          tracker text not null,
          seen_until timestamptz not null,
          polled_at timestamptz not null,
          primary key (organization_id, tracker)
        )`.execute(db);
    },
  },
  '0066-tracker-reports': {
    async up(db) {
      await sql`
        create table tracker_reports (
          organization_id text not null,
          tracker text not null,
          message_id text not null,
          received_at timestamptz not null,
          primary key (organization_id, tracker, message_id)
        )`.execute(db);
    },
  },
  '0067-rectification-turns': {
    async up(db) {
      await sql`alter table requests add column turn_at timestamptz`.execute(db);
      await sql`
        create index requests_rectifying on requests (organization_id, id)
        where right_kind = 'rectification' and not dry_run
          and state not in ('verifying', 'completed', 'rejected', 'cancelled', 'expired')`.execute(db);
    },
  },
  '0065-useless-operations': {
    async up(db) {
      await sql`
        create index tasks_useless_operations on tasks (organization_id)
        where operation is not null and state in ('cancelled', 'skipped')`.execute(db);
    },
  },
  '0107-failing-systems': {
    async up(db) {
      await sql`
        create index tasks_failing on tasks (organization_id, system)
        where failures > 0 and state in ('ready', 'running', 'waiting', 'blocked')`.execute(db);
    },
  },
};
