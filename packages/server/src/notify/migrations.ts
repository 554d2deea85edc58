import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';

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
};
