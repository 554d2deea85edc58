import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';

/** What requests keep of the policy, of deadlines and of legal holds. */
export const policyMigrations: Migrations = {
  // What a list of requests is filtered and ordered by.
  '0044-request-list': {
    async up(db) {
      for (const column of ['state', 'right_kind', 'regime', 'owner'])
        await sql`create index ${sql.ref(`requests_by_${column}`)} on requests (organization_id, ${sql.ref(column)}, id)`.execute(
          db,
        );
      await sql`create index requests_by_due on requests (organization_id, due_at, id)`.execute(db);
      await sql`create index requests_by_receipt on requests (organization_id, received_at)`.execute(db);
    },
  },
  '0030-regimes': {
    async up(db) {
      await sql`
        alter table requests
          add column regime text,
          add column subject_kind text,
          add column owner text,
          add column deadline_rules text,
          add column acknowledge_by timestamptz`.execute(db);
    },
  },
  '0031-deadline-changes': {
    async up(db) {
      await sql`
        alter table requests
          add column acknowledged_at timestamptz,
          add column clock_stopped_at timestamptz,
          add column next_alert_at timestamptz`.execute(db);
      await sql`
        update requests set next_alert_at = received_at + (due_at - received_at) * 0.5
        where completed_at is null`.execute(db);
      await sql`
        create index requests_to_alert on requests (organization_id, next_alert_at)
        where completed_at is null and next_alert_at is not null`.execute(db);
      await sql`create index requests_open on requests (organization_id, due_at) where completed_at is null`.execute(
        db,
      );
      await sql`
        create table deadline_changes (
          organization_id text not null,
          request_id text not null,
          position integer not null,
          kind text not null,
          reason text check (reason is not null or kind not in ('extended', 'clock-stopped')),
          at timestamptz not null,
          actor text not null,
          due_before timestamptz not null,
          due_after timestamptz not null,
          explanation text not null,
          primary key (organization_id, request_id, position)
        )`.execute(db);
      await sql`
        create table deadline_alerts (
          organization_id text not null,
          request_id text not null,
          term text not null,
          due_at timestamptz not null,
          level integer not null,
          at timestamptz not null,
          told boolean not null,
          primary key (organization_id, request_id, term, due_at, level)
        )`.execute(db);
      // The last line of defence: whoever writes to the table, no deadline moves without its record.
      await sql`
        create function refuse_unrecorded_deadline() returns trigger language plpgsql as $$
        begin
          if not exists (
            select from deadline_changes c
            where c.organization_id = new.organization_id and c.request_id = new.id
              and c.due_before = old.due_at and c.due_after = new.due_at
          ) then
            raise exception 'the deadline of request % moves without a recorded reason', new.id;
          end if;
          return new;
        end $$`.execute(db);
      await sql`
        create trigger recorded_deadlines before update of due_at on requests
        for each row when (old.due_at is distinct from new.due_at)
        execute function refuse_unrecorded_deadline()`.execute(db);
    },
  },
  '0032-legal-holds': {
    async up(db) {
      await sql`alter table requests add column legal_holds text[] not null default '{}'`.execute(db);
      await sql`create index requests_under_hold on requests (organization_id) where legal_holds <> '{}'`.execute(
        db,
      );
      await sql`
        create table legal_holds (
          organization_id text not null,
          id text not null,
          scope text not null,
          system text,
          category text,
          identity_types text[] not null,
          reason text not null,
          placed_by text not null,
          placed_at timestamptz not null,
          applied_at timestamptz,
          released_by text,
          released_at timestamptz,
          release_reason text,
          primary key (organization_id, id)
        )`.execute(db);
      await sql`create index legal_holds_active on legal_holds (organization_id) where released_at is null`.execute(
        db,
      );
      await sql`
        create table legal_hold_identities (
          organization_id text not null,
          hold_id text not null,
          digest bytea not null,
          primary key (organization_id, digest, hold_id)
        )`.execute(db);
    },
  },
  '0060-approvals': {
    async up(db) {
      await sql`
        alter table requests
          add column approvals_needed integer,
          add column approvals text[] not null default '{}'`.execute(db);
      await sql`update requests set approvals_needed = 1 where state = 'approving' or held_from = 'approving'`.execute(
        db,
      );
    },
  },
  '0061-appeals': {
    async up(db) {
      await sql`alter table requests add column appeal_of text`.execute(db);
      await sql`
        create unique index requests_by_appeal on requests (organization_id, appeal_of) where appeal_of is not null`.execute(
        db,
      );
    },
  },
};
